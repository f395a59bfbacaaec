-- SPDX-License-Identifier: Apache-2.0
-- What plugins of this state may do beyond the sandbox. A worker file grants things to a plugin by
-- the name of its file; a connector's config names the files that connect.file may open. C calls
-- `set` before the first plugin is loaded (src/vm/rights.c); in a state of specs it does not, and
-- any file may be opened.

local find, match, sub = string.find, string.match, string.sub

local M = {}

-- What the tutorials' connectors open without being told is theirs.
local BUNDLED = { "single_file_source:files", "single_file_sink:files" }

local granted = {}  -- plugin -> set of grants
local named          -- list of texts; nil = any file

--- grants: list of "plugin:grant", checked. config: as it was given, or nil.
function M.set(grants, config)
  for _, list in ipairs { BUNDLED, grants or {} } do
    for _, text in ipairs(list) do
      local plugin, grant = match(text, "^(.-):(.*)$")
      granted[plugin] = granted[plugin] or {}
      granted[plugin][grant] = true
    end
  end
  named = {}
  for _, value in pairs(config or {}) do
    if type(value) == "string" and value ~= "" then named[#named + 1] = value end
  end
end

--- The name by which a worker file grants: of connectors/x.lua and connectors/x/init.lua it is x.
function M.name(file) return match(file, "([^/]+)/init%.lua$") or match(file, "([^/]+)%.lua$") or file end

--- The set of what the plugin of this file is granted.
function M.of(file) return granted[M.name(file)] or {} end

--- Whether the connector's config names this file or a folder that it is in.
function M.names(path)
  if named == nil then return true end
  for _, value in ipairs(named) do
    if path == value then return true end
    local folder = sub(value, -1) == "/" and value or value .. "/"
    if sub(path, 1, #folder) == folder and not find(path .. "/", "/../", 1, true) then return true end
  end
  return false
end

return M
