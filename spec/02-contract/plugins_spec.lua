-- SPDX-License-Identifier: Apache-2.0
-- What every plugin in the tree promises: it loads in the sandbox, its manifest is whole,
-- and every row of its configuration is documented.
local manifest = require "connect.host.manifest"
local task = require "spec.helpers.task"

local FOLDERS = { "connectors", "lua/connect/converters", "lua/connect/transforms", "lua/connect/predicates" }
local KIND_OF = {
  ["lua/connect/converters"] = { converter = true },
  ["lua/connect/transforms"] = { transform = true },
  ["lua/connect/predicates"] = { predicate = true },
  connectors = { source = true, sink = true },
}
local TYPES = {}
for name in ("boolean string int short long double list class password"):gmatch "%S+" do TYPES[name] = true end

local function files(folder)
  local out = {}
  local pipe = io.popen(("ls -d %s/*.lua %s/*/init.lua 2>/dev/null"):format(folder, folder))
  for file in pipe:lines() do out[#out + 1] = file end
  pipe:close()
  return out
end

local names = {} -- class or alias -> file

for _, folder in ipairs(FOLDERS) do
  for _, file in ipairs(files(folder)) do
    describe(file, function()
      local module = task.load(file)
      local m = manifest.check(module, file)

      it("is of the kind its folder holds", function()
        assert.is_true(KIND_OF[folder][m.kind], m.kind)
      end)

      it("has a version and a doc", function()
        assert.matches("^%d+%.%d+%.%d+$", m.version)
        assert.matches("%.$", m.doc)
      end)

      it("has names of its own", function()
        for _, name in ipairs { m.class, unpack(m.aliases) } do
          assert.is_nil(names[name], name)
          names[name] = file
        end
      end)

      it("documents every row of its configuration once", function()
        local seen = {}
        for _, row in ipairs(m.config) do
          assert.is_nil(seen[row.name], row.name .. " twice")
          seen[row.name] = true
          assert.is_true(TYPES[row.type], row.name .. ": type " .. tostring(row.type))
          assert.matches("%S%s%S", row.doc or "", nil, row.name .. " has no doc")
          assert.is_false(row.required == true and row.default ~= nil, row.name .. " is required and has a default")
        end
      end)

      it("leaves no global behind", function()
        for name in pairs(_G) do assert.not_equal(name, m.class) end
      end)

      if m.kind == "source" or m.kind == "sink" then
        it("makes as many tasks as it should", function()
          if not module.tasks then return end
          local configs = module.tasks({ x = "y" }, 3)
          assert.is_true(#configs >= 1 and #configs <= 3)
          for _, config in ipairs(configs) do assert.equal("y", config.x) end
        end)
      end
    end)
  end
end

it("there are the plugins of this release", function()
  for _, name in ipairs { "FileStreamSource", "FileStreamSink", "SingleFileSource", "SingleFileSink", "hello_source",
    "com.example.connect.HttpPollSourceConnector", "HttpPollSource", "HttpSink",
    "org.apache.kafka.connect.storage.StringConverter", "org.apache.kafka.connect.converters.ByteArrayConverter",
    "org.apache.kafka.connect.json.JsonConverter" } do
    assert.not_nil(names[name], name)
  end
end)
