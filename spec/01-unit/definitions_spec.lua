-- SPDX-License-Identifier: Apache-2.0
-- The definitions of `connect-lua types` name what is there, and nothing else.
local ctx = require "connect.host.ctx"
local definitions = require "connect.kit.definitions"
local host = require "connect.host.c"
local manifest = require "connect.host.manifest"

local HOME = "."

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function keys(t)
  local out = {}
  for name in pairs(t) do out[#out + 1] = name end
  table.sort(out)
  return out
end

local function set(...)
  local out = {}
  for _, t in ipairs { ... } do
    for name in pairs(t) do out[name] = true end
  end
  return out
end

-- class -> field -> its type, those of the class it extends among them
local function classes()
  local out, class = {}, nil
  for line in read(HOME .. "/lua/connect/kit/types_meta.lua"):gmatch "[^\n]+" do
    local name, parent = line:match "^%-%-%-@class connect%.(%w+)%s*:?%s*c?o?n?n?e?c?t?%.?(%w*)"
    local field, of = line:match "^%-%-%-@field ([%w_]+)%??%s+(.*)$"
    if name then
      class = {}
      out[name] = class
      for inherited, x in pairs(out[parent] or {}) do class[inherited] = x end
    elseif field then
      assert.is_nil(class[field], field)
      class[field] = of
    end
  end
  return out
end

-- The names that a pattern captures between two marks of a source file.
local function named(path, from, to, pattern)
  local text = read(path)
  local first = assert(text:find(from, 1, true), from)
  local last = assert(text:find(to, first, true), to)
  local out = {}
  for name in text:sub(first, last):gmatch(pattern) do out[name] = true end
  assert.is_true(next(out) ~= nil)
  return out
end

describe("the definitions of", function()
  it("modules are the modules'", function()
    local files = {}
    for _, d in ipairs(definitions.all(HOME)) do files[d.file] = d.text end
    local modules = definitions.modules(HOME)
    assert.is_true(#keys(modules) > 15)
    assert.same(#keys(modules) + 1, #keys(files))
    for name, module in pairs(modules) do
      local text, own, defined = files[name:gsub("%.", "/") .. ".lua"], name:match "[^.]+$", {}
      for member in text:gmatch("\nfunction " .. own .. "[.:]([%w_]+)%(") do defined[member] = true end
      for member in text:gmatch("\n" .. own .. "%.([%w_]+) = ") do defined[member] = true end
      assert.same(keys(module), keys(defined), name)
      assert(loadstring(text, name))
    end
  end)

  it("plugins may require each of them, and no other", function()
    local sandbox = require "connect.host.sandbox"
    local env = sandbox.load(HOME .. "/lua/connect/kit/plugin_env.lua", HOME)
    for name in pairs(definitions.modules(HOME)) do assert.is_table(env.require(name)) end
    assert.is_nil(definitions.modules(HOME)["connect.edit.fields"])
  end)

  it("functions that have types of their own exist", function()
    local modules = definitions.modules(HOME)
    for path in pairs(set(definitions.RETURNS, definitions.OTHERWISE)) do
      local module, member = path:match "^(.*)%.([%w_]+)$"
      assert.is_function(modules[module][member], path)
    end
  end)

  it("a ctx are its own", function()
    local all = classes()
    assert.same(keys(ctx.names "source"), keys(all.SourceCtx))
    assert.same(keys(ctx.names "sink"), keys(all.SinkCtx))
  end)

  it("plugins are those that the manifest reads", function()
    local all = classes()
    local data = set(manifest.DATA)
    data.sides, data.headers_only = nil, nil
    for kind, class in pairs { source = "Source", sink = "Sink", transform = "Transform", predicate = "Predicate",
      converter = "Converter" } do
      local members = set(data, manifest.VERBS[kind])
      if kind == "transform" then members.sides = true end
      if kind == "converter" then members.headers_only = true end
      assert.same(keys(members), keys(all[class]), kind)
      for name, required in pairs(manifest.VERBS[kind]) do
        local optional = read(HOME .. "/lua/connect/kit/types_meta.lua"):find("@field " .. name .. "? fun", 1, true)
        if required and name ~= "close" then assert.is_nil(optional, name) end
      end
    end
  end)

  it("tests of a plugin's own get what they get", function()
    local offered
    require "connect.host.inline_tests"({ x = function(t) offered = t end }, "x", {})
    assert.same(keys(offered), keys(classes().Test))
  end)

  it("config rows are those that C reads", function()
    local known = named("src/base/confdef_json.c", "static int check_keys", "};", '"([%w_]+)"')
    assert.same(keys(known), keys(classes().ConfigRow))
    for word in classes().ConfigRow.type:gmatch '"(%w+)"' do
      host.check_rows({ { name = "x", type = word, doc = "X." } }, "x")
    end
    assert.has_error(function() host.check_rows({ { name = "x", typo = "string" } }, "x") end)
  end)

  it("records, batches, data and files are theirs", function()
    local all, view = classes(), "lua/connect/host/view.lua"
    assert.same(keys(named(view, "local function record_field", "return nil", 'key == "([%w_]+)"')), keys(all.Record))
    assert.same(keys(named(view, "local batch_methods", "\n}", "\n  ([%w_]+) = function")), keys(all.Batch))
    assert.same(keys(named("lua/connect/host/draft.lua", "[[topic partition", "]]", "([a-z_]+)")), keys(all.Emitted))
    local datum, file = "lua/connect/host/datum.lua", "lua/connect/host/files.lua"
    assert.same(keys(named(datum, "local methods", "ffi.metatype", "function methods:([%w_]+)")), keys(all.Datum))
    assert.same(keys(named(file, "local reader = {}", "local writer = {}", "function reader:([%w_]+)")), keys(all.Reader))
    assert.same(keys(named(file, "local writer = {}", "-- module", "function writer:([%w_]+)")), keys(all.Writer))
    local schema = named("lua/connect/schema.lua", "local attributes = {", "\n}", "\n  ([%w_]+) = ")
    for _, name in ipairs { "type", "logical", "uid", "field", "key", "value", "fields" } do schema[name] = true end
    assert.same(keys(schema), keys(all.Schema))
  end)

  it("HTTP is connect.http's", function()
    local all, file = classes(), "lua/connect/host/http/response.lua"
    local response = named(file, "local methods = {}", "--- t: a transfer", "function methods:([%w_]+)")
    for _, name in ipairs { "status", "ok", "headers", "url", "body" } do response[name] = true end
    assert.same(keys(response), keys(all.HttpResponse))
    local client = {}
    for name in pairs(definitions.modules(HOME)["connect.http"]) do client[name] = name ~= "client" or nil end
    assert.same(keys(client), keys(all.HttpClient))
  end)
end)
