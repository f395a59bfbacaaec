-- SPDX-License-Identifier: Apache-2.0
-- luacheck over a plugin, where it is installed: unused and shadowed variables, code that is never reached, fields that
-- the sandbox's libraries have not. Globals are a rule of ours.

local M = {}

local luacheck, std

-- What a plugin finds, in luacheck's form.
local function std_of(env)
  local globals = {}
  for name, value in pairs(env) do
    globals[name] = {}
    if type(value) == "table" and value ~= env then
      globals[name].fields = {}
      for field in pairs(value) do globals[name].fields[field] = {} end
    end
  end
  globals._G = { other_fields = true }
  return { read_globals = globals }
end

--- Whether luacheck is there.
function M.use(env)
  if not package.searchpath("luacheck", package.path) then return false end
  luacheck = require "luacheck"
  std = std_of(env)
  return true
end

-- Not ours to judge: arguments that a verb has and does not use, and how a text is laid out.
local OPTIONS = { global = false, unused_args = false, self = false, max_line_length = false, ignore = { "6.." } }

function M.check(file, report)
  if not luacheck then return end
  local given = { std = std }
  for name, value in pairs(OPTIONS) do given[name] = value end
  for _, warning in ipairs(luacheck.check_strings({ file.text }, given)[1]) do
    report(warning.line, "luacheck-" .. warning.code, "%s", luacheck.get_message(warning))
  end
end

return M
