-- SPDX-License-Identifier: Apache-2.0
-- The own tests of the plugins that `connect-lua test` was called with, as busted's tests.

local inline = require "connect.kit.inline"
local manifest = require "connect.host.manifest"
local run = require "connect.host.inline_tests"
local sandbox = require "connect.host.sandbox"

local function sorted_names(tests)
  local names = {}
  for name in pairs(tests) do names[#names + 1] = name end
  table.sort(names)
  return names
end

for _, file in ipairs(inline.plugins) do
  describe(file, function()
    local module = sandbox.load(file, (file:match "^(.*)/[^/]*$") or ".")
    manifest.check(module, file)
    local tests = rawget(module, "tests") or {}
    for _, name in ipairs(sorted_names(tests)) do
      it(name, function() run({ [name] = tests[name] }, file, module) end)
    end
  end)
end
