-- SPDX-License-Identifier: Apache-2.0
-- The plugins whose own tests `connect-lua test` runs; inline_spec.lua tells busted of them.

local files = require "connect.kit.files"

local inline = { plugins = {} } -- paths

--- Whether it looks like a plugin. It is read, not run: other files may do anything.
function inline.is_plugin(path)
  local text = not files.is_spec(path) and files.read(path) or ""
  return text:find "%f[%w_]api%s*=" ~= nil and text:find "%f[%w_]kind%s*=" ~= nil
end

local function has_tests(path)
  return inline.is_plugin(path) and files.read(path):find "%f[%w_]tests%s*=" ~= nil
end

--- Whether the plugin has tests of its own.
function inline.add(path)
  if not has_tests(path) then return false end
  inline.plugins[#inline.plugins + 1] = path
  return true
end

function inline.add_folder(folder)
  local any = false
  for _, path in ipairs(files.plugins(folder)) do any = inline.add(path) or any end
  return any
end

return inline
