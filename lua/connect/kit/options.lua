-- SPDX-License-Identifier: Apache-2.0
-- Command lines and exit codes of the verbs that are written in Lua. A verb is a file of this folder that returns
-- function(args, home) -> exit code; home is the folder that holds lua/ and connectors/.

local M = {
  OK = 0,
  USAGE = 1,
  FAILED = 2, -- a file cannot be read or written, something is not installed
  FOUND = 5, -- test: a test failed; lint: something is wrong
}

function M.complain(text, ...) io.stderr:write("connect-lua: ", text:format(...), "\n") end

-- name and value of --name=value or --name; nil for what is no option
local function split(arg)
  local name, value = arg:match "^%-%-([%w-]+)=(.*)$"
  if name then return name, value end
  return arg == "-h" and "help" or arg:match "^%-%-([%w-]+)$"
end

--- known: name -> true (a flag) or "value". Answers options and the list of the others; nil when the command line is
-- wrong, which has been said.
function M.parse(args, known)
  local options, rest, i = {}, {}, 1
  while args[i] do
    local name, value = split(args[i])
    if args[i] == "--" then
      for j = i + 1, #args do rest[#rest + 1] = args[j] end
      break
    elseif not name then
      rest[#rest + 1] = args[i]
    elseif name == "help" or known[name] == true and value == nil then
      options[name] = true
    elseif known[name] == "value" and (value or args[i + 1]) then
      if not value then i = i + 1 end
      options[name] = value or args[i]
    else
      M.complain(known[name] == "value" and "%s needs a value" or known[name] and "%s takes no value"
        or "unknown option %s; --help lists them", args[i])
      return nil
    end
    i = i + 1
  end
  return options, rest
end

return M
