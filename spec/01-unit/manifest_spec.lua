-- SPDX-License-Identifier: Apache-2.0
-- What a plugin file may return.
local manifest = require "connect.host.manifest"
local host = require "connect.host.c"

local function nop() end

local function source(more)
  local module = { api = 1, kind = "source", poll = nop }
  for k, v in pairs(more or {}) do module[k] = v end
  return module
end

local function check(module, file) return manifest.check(module, file or "connectors/demo.lua") end

local function refusal(module)
  local ok, why = pcall(check, module)
  assert.is_false(ok)
  return why
end

describe("manifest", function()
  it("fills in what a file leaves out", function()
    local m = check(source())
    assert.same({ kind = "source", class = "demo", version = "undefined", doc = "", aliases = {}, config = {},
      verbs = { poll = true } }, m)
    assert.equal("[]", host.json_encode(m.aliases))
    assert.equal("[]", host.json_encode(m.config))
    assert.equal("demo", check(source(), "x/demo/init.lua").class)
    assert.equal("1.2.0", check(source { version = "1.2.0" }).version)
  end)

  it("copies what it gives", function()
    local m = check(source { class = "a.B", doc = "d", aliases = { "x.Y" }, start = nop, tasks = nop,
      config = { { name = "k", type = "list", default = { "a" }, values = {} } } })
    assert.same({ "x.Y" }, m.aliases)
    assert.same({ poll = true, start = true, tasks = true }, m.verbs)
    assert.equal('[{"default":["a"],"name":"k","type":"list","values":{}}]', host.json_encode(m.config))
  end)

  it("warns of functions that nobody calls", function()
    local real, logged = host.log, {}
    local function warnings(module)
      logged = {}
      host.log = function(level, text) logged[#logged + 1] = level .. " " .. text:gsub(":%d+:", ":0:") end
      local ok, m = pcall(check, module)
      host.log = real
      assert.is_true(ok, m)
      table.sort(logged)
      return logged
    end
    local line = "3 connectors/demo.lua:0: function '%s' of a %s is not called yet"
    assert.same({}, warnings(source { reload = nop, check = nop, alter_offsets = nop, stop = nop }))
    assert.same({}, warnings { api = 1, kind = "sink", put = nop, close = nop })
    for kind, verbs in pairs { transform = { "apply" }, predicate = { "test" }, converter = { "decode", "encode" } } do
      local module = { api = 1, kind = kind, close = nop, configure = nop }
      for _, verb in ipairs(verbs) do module[verb] = nop end
      assert.same({ line:format("close", kind) }, warnings(module))
    end
    assert.matches("'strat' is not a verb of a source", warnings(source { strat = nop })[1])
  end)

  it("wants api 1", function()
    assert.equal("connectors/demo.lua: 'api = 1' is missing", refusal { kind = "source" })
    assert.matches("'api' is 2", refusal { api = 2 })
    assert.matches("'api' is \"1\"", refusal { api = "1" })
  end)

  it("wants a kind it knows", function()
    assert.matches("'kind' must be source, sink, .*, not nil", refusal { api = 1 })
    assert.matches("not \"Source\"", refusal { api = 1, kind = "Source" })
    assert.matches("not a table", refusal { api = 1, kind = {} })
  end)

  it("wants the functions of the kind", function()
    local needs = { source = "poll", sink = "put", transform = "apply", predicate = "test", converter = "decode" }
    for kind, verb in pairs(needs) do
      local text = ("connectors/demo.lua: a %s needs the function '%s'"):format(kind, verb)
      assert.equal(text, refusal { api = 1, kind = kind })
    end
    assert.matches("'encode'", refusal { api = 1, kind = "converter", decode = nop })
    assert.matches("'start' must be a function, not \"x\"", refusal(source { start = "x" }))
  end)

  it("wants texts and lists where they belong", function()
    assert.matches("'class' must be a string, not 3", refusal(source { class = 3 }))
    assert.matches("'version' must be a string, not a table", refusal(source { version = {} }))
    assert.matches("'aliases' must be a list", refusal(source { aliases = "x" }))
    assert.matches("alias 2 must be", refusal(source { aliases = { "x", 1 } }))
    assert.matches("'config' must be a list", refusal(source { config = 1 }))
    assert.matches("it has the key \"topic\"", refusal(source { config = { topic = {} } }))
    assert.matches("config row 1 must be a table", refusal(source { config = { "topic" } }))
    assert.matches("config row 1 has no 'name'", refusal(source { config = { {} } }))
    assert.matches("holds a function %(line %d+%)", refusal(source { config = { { name = "a", default = nop } } }))
    assert.matches("holds a thread", refusal(source { config = { { name = "a", default = coroutine.create(nop) } } }))
    local deep = {}
    for _ = 1, 9 do deep = { deep } end
    assert.matches("nested too deep", refusal(source { config = { { name = "a", default = deep } } }))
  end)

  it("never runs the module's metamethods", function()
    local trap = { __index = function() error "touched" end, __tostring = function() error "touched" end,
      __pairs = function() error "touched" end, __len = function() error "touched" end }
    assert.equal("demo", check(setmetatable(source(), trap)).class)
    assert.matches("not a table", refusal(setmetatable({ api = 1, kind = setmetatable({}, trap) }, trap)))
    local row = setmetatable({ name = "a", default = setmetatable({ x = 1 }, trap) }, trap)
    assert.same({ x = 1 }, check(source { config = { row } }).config[1].default)
  end)
end)
