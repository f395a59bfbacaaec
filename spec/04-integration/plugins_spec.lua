-- SPDX-License-Identifier: Apache-2.0
-- The verbs that run no worker: plugins, validate, --help, --version, and exit codes.
local helpers = require "spec.helpers"
local json = require "dkjson"

describe("the command line #embedded", function()
  after_each(helpers.clean)

  it("explains itself and its version", function()
    local code, out = helpers.run { "--help" }
    assert.equal(0, code)
    for word in ("--worker plugins validate try run new test lint doc types"):gmatch "%S+" do
      assert.matches(word, out, 1, true)
    end
    code, out = helpers.run { "--version" }
    assert.equal(0, code)
    assert.matches("%d+%.%d+%.%d+", out)
  end)

  it("explains itself after a verb too", function()
    local calls = { { "plugins", "--help" }, { "validate", "-h" }, { "--worker", "none", "--help" } }
    for _, argv in ipairs(calls) do
      local code, out, err = helpers.run(argv)
      assert.equal(0, code)
      assert.matches("connect-lua validate", out, 1, true)
      assert.equal("", err)
    end
    for _, verb in ipairs { "try", "run", "new", "test", "lint", "doc", "types" } do
      local code, out, err = helpers.run { verb, "--help" }
      assert.same({ 0, "" }, { code, err })
      assert.matches("^connect%-lua " .. verb .. " ", out)
      assert.matches("Exit codes: 0 ", out, 1, true)
    end
  end)

  it("refuses a second --worker", function()
    for _, verb in ipairs { "plugins", "validate", false } do
      local argv = { "--worker", "one.conf", "--worker", "two.conf", "x.properties" }
      if verb then table.insert(argv, 1, verb) end
      local code, _, err = helpers.run(argv)
      assert.equal(1, code)
      assert.matches("--worker is given twice, one.conf and two.conf", err, 1, true)
    end
  end)

  it("ends with 1 when there is nothing to do, and says how to use it", function()
    local code, out, err = helpers.run {}
    assert.equal(1, code)
    assert.matches("--worker", out .. err, 1, true)
    code, out, err = helpers.run { "--no-such-option" }
    assert.equal(1, code)
    assert.matches("no-such-option", out .. err, 1, true)
  end)

  local function worker_file(folder, path)
    return helpers.write(folder .. "/worker.properties", helpers.properties {
      ["bootstrap.servers"] = "embedded",
      ["key.converter"] = "org.apache.kafka.connect.storage.StringConverter",
      ["value.converter"] = "org.apache.kafka.connect.storage.StringConverter",
      ["offset.storage.file.filename"] = folder .. "/offsets",
      ["plugin.path"] = path,
    })
  end

  it("lists every file seen in the plugin path, accepted or with its reason", function()
    local folder = helpers.folder()
    helpers.shell("mkdir -p " .. folder .. "/p/whole")
    helpers.write(folder .. "/p/good.lua", [[
return { api = 1, kind = "source", version = "2.5", doc = "A test.", poll = function() end }]])
    helpers.write(folder .. "/p/whole/init.lua", [[
return { api = 1, kind = "sink", version = "1", doc = "A test.", put = function() end }]])
    helpers.write(folder .. "/p/torn.lua", "return {\n  api = 1,\n  kind =\n")
    helpers.write(folder .. "/p/throws.lua", "\nerror('at the top')\n")
    helpers.write(folder .. "/p/endless.lua", "while true do end\n")
    helpers.write(folder .. "/p/number.lua", "return 42\n")
    helpers.write(folder .. "/p/nothing.lua", "return { api = 1, kind = 'source' }\n")
    helpers.write(folder .. "/p/connect-file-3.4.0.jar", "PK\3\4")
    local file = worker_file(folder, folder .. "/p")

    local code, out = helpers.run { "plugins", "--worker", file }
    assert.equal(0, code)
    local function line_of(name)
      for line in out:gmatch("[^\n]+") do
        if line:find(name, 1, true) then return line end
      end
      error(name .. " is not in:\n" .. out)
    end
    assert.matches("2.5", line_of "good.lua", 1, true)
    line_of "whole/init.lua"
    assert.matches("torn%.lua:%d+: ", out)
    assert.matches("throws%.lua:2: .*at the top", out)
    assert.matches("endless%.lua", out)
    line_of "number.lua"
    assert.matches("poll", out:match("nothing%.lua[^\n]*\n?[^\n]*"))
    assert.matches("[Jj]ava", out:match("connect%-file%-3%.4%.0%.jar[^\n]*\n?[^\n]*"))

    code, out = helpers.run { "plugins", "--worker", file, "--json" }
    assert.equal(0, code)
    assert.is_table(json.decode(out), out)
    assert.matches("endless.lua", out, 1, true)
  end)

  it("names what is no plugin, and why", function()
    local folder = helpers.folder()
    local p = folder .. "/p"
    helpers.shell("mkdir " .. p)
    helpers.shell(([[cd P && mkdir dir.lua notes whole && mkfifo pipe.lua && ln -s gone dangling &&
      ln -s loop.lua loop.lua && ln -s gone whole/init.lua && ln -s gone notes/more.lua]]):gsub("P", p, 1))
    helpers.write(p .. "/README", "words")
    helpers.write(folder .. "/words.txt", "words")
    helpers.write(folder .. "/x_spec.lua", "")
    local file = worker_file(folder, table.concat({ p, folder .. "/words.txt", folder .. "/none", folder .. "/x_spec.lua" }, ","))
    local code, out = helpers.run { "plugins", "--worker", file }
    assert.equal(0, code)
    local function reason_of(path)
      local _, last = out:find("\n  " .. path .. "\n", 1, true)
      assert(last, path .. " is not in:\n" .. out)
      return out:match("%s*([^\n]+)", last)
    end
    assert.matches("folder without an init.lua", reason_of(p .. "/dir.lua"), 1, true)
    assert.matches("not a regular file", reason_of(p .. "/pipe.lua"), 1, true)
    assert.matches("leads nowhere: No such file", reason_of(p .. "/dangling"), 1, true)
    assert.matches("leads nowhere: Too many levels", reason_of(p .. "/loop.lua"), 1, true)
    assert.matches("leads nowhere", reason_of(p .. "/whole/init.lua"), 1, true)
    assert.matches("neither a folder nor", reason_of(folder .. "/words.txt"), 1, true)
    assert.matches("neither a folder nor", reason_of(folder .. "/x_spec.lua"), 1, true)
    assert.matches("No such file", reason_of(folder .. "/none"), 1, true)
    for _, fine in ipairs { "README", "notes" } do assert.not_matches("/" .. fine, out, 1, true) end
  end)

  it("accepts a jar as plugin.path, as tutorials have it, and names it", function()
    local folder = helpers.folder()
    local file = worker_file(folder, "libs/connect-file-3.4.0.jar")
    local code, out = helpers.run { "plugins", "--worker", file }
    assert.equal(0, code)
    assert.matches("libs/connect-file-3.4.0.jar", out, 1, true)
    assert.matches("org.apache.kafka.connect.file.FileStreamSourceConnector", out, 1, true)
  end)

  it("validates a connector file", function()
    local folder = helpers.folder()
    local file = worker_file(folder, "")
    local good = helpers.write(folder .. "/good.properties", helpers.properties {
      name = "a", ["connector.class"] = "FileStreamSource", topic = "t", file = "x",
    })
    local bad = helpers.write(folder .. "/bad.properties", helpers.properties {
      name = "a", ["connector.class"] = "FileStreamSource", file = "x", ["batch.size"] = "abcd",
    })
    assert.equal(0, (helpers.run { "validate", good, "--worker", file }))
    local code, out, err = helpers.run { "validate", bad, "--worker", file }
    assert.is_true(code ~= 0)
    assert.matches("topic", out .. err, 1, true)
    assert.matches("batch.size", out .. err, 1, true)
    code, out = helpers.run { "validate", bad, "--worker", file, "--json" }
    assert.is_true(code ~= 0)
    assert.is_table(json.decode(out), out)
  end)

  it("lets a plugin look at the other side, where it is asked to", function()
    local folder = helpers.folder()
    local file = worker_file(folder, "")
    helpers.append(file, "plugin.path=" .. folder .. "\n")
    helpers.write(folder .. "/far.lua", [[
      local connect = require "connect"
      return { api = 1, kind = "source", poll = function() end,
        config = { { name = "how", type = "string", required = true, doc = "What check answers." } },
        check = function(config)
          if config.how == "errors" then return { how = { "is far", "is gone" } } end
          if config.how == "raises" then connect.fatal "nobody is there" end
        end }]])
    local function validate(how, ...)
      local path = helpers.write(folder .. "/c.properties",
        helpers.properties { name = "a", ["connector.class"] = "far", how = how })
      return helpers.run { "validate", "--worker", file, path, ... }
    end
    assert.equal(0, (validate "errors"))
    assert.equal(0, (validate("well", "--check")))
    local code, out = validate("errors", "--check")
    assert.equal(3, code)
    assert.matches("how: is far; how: is gone", out, 1, true)
    code, out = validate("raises", "--check")
    assert.equal(3, code)
    assert.matches("nobody is there", out, 1, true)
  end)

  it("finds nothing wrong with the sample files", function()
    local config = helpers.root .. "/config/"
    for _, worker in ipairs { "worker.conf", "worker-kafka.conf" } do
      local code, out, err = helpers.run {
        "validate", "--worker", config .. worker, config .. "connect-file-source.properties",
        config .. "connect-file-sink.properties", config .. "connect-file-sink.json",
      }
      assert.equal(0, code, out .. err)
    end
  end)
end)
