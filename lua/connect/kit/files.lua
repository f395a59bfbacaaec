-- SPDX-License-Identifier: Apache-2.0
-- Files and folders, for the verbs that are written in Lua.

local ffi = require "ffi"

ffi.cdef [[
typedef struct { size_t n; char **paths; uint64_t opaque[16]; } cl_kit_glob; /* glibc's glob_t, and room */
int glob(const char *pattern, int flags, void *on_error, cl_kit_glob *out);
void globfree(cl_kit_glob *out);
int mkdir(const char *path, unsigned mode);
]]
local C = ffi.C

local files = {}

--- The text of a file; nil and the reason.
function files.read(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text, e = file:read "*a" -- a folder opens, and cannot be read
  file:close()
  if not text then return nil, path .. ": " .. e end
  return text
end

function files.write(path, text)
  local file, why = io.open(path, "wb")
  if not file then return nil, why end
  local ok, e = file:write(text)
  local closed, late = file:close()
  if not ok or not closed then return nil, path .. ": " .. (e or late) end
  return true
end

function files.exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

--- What matches in a folder, sorted: files.list("connectors", "*.lua"). Hidden files do not.
function files.list(folder, pattern)
  local out, found = {}, ffi.new "cl_kit_glob[1]"
  local escaped = folder:gsub("[%[%]*?\\]", "\\%0")
  if C.glob(escaped .. "/" .. pattern, 0, nil, found) == 0 then
    for i = 0, tonumber(found[0].n) - 1 do out[i + 1] = ffi.string(found[0].paths[i]) end
    C.globfree(found)
  end
  return out
end

function files.is_folder(path) return #files.list(path, ".") == 1 end

--- Makes it unless it is there; the one above must be.
function files.make_folder(path)
  if files.is_folder(path) or C.mkdir(path, 493) == 0 then return true end
  return nil, path .. ": the folder cannot be made"
end

--- Folder, and name without it.
function files.split(path)
  local folder, name = path:match "^(.*)/([^/]*)$"
  if not folder then return ".", path end
  return folder == "" and "/" or folder, name
end

function files.is_spec(path) return path:find "_spec%.lua$" ~= nil end

--- The plugins that a scan of this folder looks at.
function files.plugins(folder)
  local out = {}
  for _, pattern in ipairs { "*.lua", "*/init.lua" } do
    for _, path in ipairs(files.list(folder, pattern)) do
      if not files.is_spec(path) then out[#out + 1] = path end
    end
  end
  return out
end

--- The folders of what is installed with connect-lua.
function files.bundled(home)
  return { home .. "/connectors", home .. "/lua/connect/transforms", home .. "/lua/connect/predicates",
    home .. "/lua/connect/converters" }
end

return files
