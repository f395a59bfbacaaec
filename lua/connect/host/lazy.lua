-- SPDX-License-Identifier: Apache-2.0
-- Modules that few plugins use, without what they cost every state: lazy(module, names) answers a
-- table whose functions load the module when one of them is called. Each is a tail call, so that
-- errors name the plugin's line.
return function(module, names)
  local M = {}
  for name in names:gmatch "%S+" do
    M[name] = function(...) return require(module)[name](...) end
  end
  return M
end
