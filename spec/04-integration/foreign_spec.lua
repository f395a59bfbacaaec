-- SPDX-License-Identifier: Apache-2.0
-- The built-in plugins are written on the plugin API: each file, copied into a folder of the plugin path under another
-- class name, does there what it does here.
local helpers = require "spec.helpers"
local json = require "dkjson"
local vectors = require "spec.helpers.vectors"

local APACHE, FOREIGN = "org.apache.kafka.connect.", "org.elsewhere."
local FOLDERS = { "transforms", "predicates", "converters" }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- Copies; answers the other names of Apache's classes, and back.
local function copy_all(folder)
  local classes, apache = {}, {}
  for _, of in ipairs(FOLDERS) do
    for path in helpers.shell(("ls %q/lua/connect/%s/*.lua"):format(helpers.root, of)):gmatch "[^\n]+" do
      local text = read(path)
      local class = assert(text:match '\n  class = "([^"]+)"', path)
      classes[class] = FOREIGN .. "Other" .. class:match "([^.]+)$" -- aliases stay Apache's
      apache[classes[class]] = class
      helpers.write(("%s/%s_%s"):format(folder, of, path:match "[^/]+$"),
        (text:gsub('(\n  class = )"[^"]+"', '%1"' .. classes[class] .. '"')))
    end
  end
  return classes, apache
end

describe("the built-in plugins in a folder of others #embedded", function()
  local wrong, classes, apache, n, used, lines = {}, nil, nil, 0, {}, {}

  setup(function()
    local folder = helpers.folder()
    helpers.shell("mkdir -p " .. folder .. "/p")
    classes, apache = copy_all(folder .. "/p")
    local worker = helpers.write(folder .. "/worker.properties", helpers.properties {
      ["bootstrap.servers"] = "embedded", ["plugin.path"] = folder .. "/p",
      ["offset.storage.file.filename"] = folder .. "/offsets",
      ["key.converter"] = APACHE .. "storage.StringConverter", ["value.converter"] = APACHE .. "storage.StringConverter",
    })
    local fixture = helpers.root .. "/spec/fixtures/vectors.jsonl"
    local list = vectors.read(fixture)
    for line in io.lines(fixture) do -- as text: numbers stay what they are
      lines[#lines + 1] = line:gsub('"(%s*)([%w.]+)(%$?%w*%s*)"', function(before, class, side)
        if not classes[class] then return nil end
        used[class] = true
        return ('"%s%s%s"'):format(before, classes[class], side)
      end)
    end
    local file = helpers.write(folder .. "/vectors.jsonl", table.concat(lines, "\n") .. "\n")
    local text, code = helpers.shell(("%q try --worker %q --json < %q"):format(helpers.binary, worker, file))
    assert(code == 0, text:sub(-2000))
    for line in text:gmatch "[^\n]+" do
      n = n + 1
      local own = line:gsub("org%.elsewhere%.%w+", apache)
      local what = vectors.differs(list[n], json.decode(own, 1, json.null))
      if what then wrong[#wrong + 1] = list[n].id .. ": " .. what end
    end
  end)
  teardown(helpers.clean)

  it("are all there", function()
    local count = 0
    for class in pairs(classes) do
      count = count + 1
      assert.is_true(used[class], class .. " is in no vector")
    end
    assert.is_true(count >= 29, count)
  end)

  it("do the same", function()
    assert.is_true(n > 300)
    assert.equal(#lines, n)
    assert.equal("", table.concat(wrong, "\n", 1, math.min(#wrong, 20)), #wrong .. " are wrong")
  end)
end)
