-- SPDX-License-Identifier: Apache-2.0
-- Nothing a plugin can call does worse than raise, whatever it is called with. Each group of functions is tried in a
-- process of its own (spec/fixtures/reach), so that a crash fails one test and names the function.
local process = require "spec.helpers.process"

local GROUPS = { "connect", "connect.codec", "connect.crypto", "connect.date_format", "connect.edit", "connect.errors",
  "connect.field_path", "connect.file", "connect.headers", "connect.http", "connect.http_config",
  "connect.json", "connect.log", "connect.memo", "connect.metrics",
  "connect.regex", "connect.schema", "connect.struct", "connect.time", "operators", "methods", "iterators", "mix", "escapes" }
-- Modules whose functions another one has too, where they are tried.
local NONE = { ["connect.struct"] = true }

-- Exit status, and what the child wrote.
local function child(place, group)
  local report = os.tmpname()
  local rc = os.execute(("ASAN_OPTIONS=detect_leaks=0 CL_REACH='%s %s %s' timeout 120 '%s' test "
    .. "spec/fixtures/reach/child.lua >'%s.out' 2>&1 </dev/null"):format(place, group, report, process.self(), report))
  local file = assert(io.open(report))
  local told = file:read "*a"
  file:close()
  local log = assert(io.open(report .. ".out", "rb"))
  local said = log:read "*a"
  log:close()
  for _, suffix in ipairs { "", ".out", ".written" } do os.remove(report .. suffix) end
  return rc, told, said
end

describe("what a plugin can reach", function()
  for _, place in ipairs { "load", "apply", "decode", "put", "outside" } do
    for _, group in ipairs(GROUPS) do
      it(("only raises: %s, %s"):format(group, place), function()
        local rc, told, said = child(place, group)
        local tail = told:sub(-300) .. "\n" .. said:sub(1, 3000)
        assert.is_truthy(rc == 0 and told:find "\ndone\n$", "the process died at " .. tail)
        assert.is_nil(told:find("ESCAPED", 1, true), tail)
        if group == "mix" and place == "apply" then
          assert.is_true(tonumber(told:match "(%d+) calls that did not raise") > 3000, tail)
        end
        local any = group ~= "escapes" and group ~= "mix" and not NONE[group] and not (place == "load" and group == "iterators")
        if any then assert.is_nil(told:find("\n0 functions", 1, true) or told:match "^0 functions", tail) end
      end)
    end
  end
end)
