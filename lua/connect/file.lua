-- SPDX-License-Identifier: Apache-2.0
-- Text files: a reader that follows a growing file line by line, and an appending writer.
--
--   local reader = connect.file.reader{ path = "in.txt", position = 0 }
--   reader:fill{ topic = "t", partition = ctx:partition{ ... }, max = 500 }   -- inside poll
--   reader:line()
--
--   local writer = connect.file.writer{ path = "out.txt" }
--   writer:batch(batch); writer:line("text"); writer:sync()
--
-- path nil = standard input or output. Other files are opened only when the connector's config
-- names them or a folder they are in: a plugin reads what its operator told it to read.

local errors = require "connect.errors"
local files = require "connect.host.files"
local rights = require "connect.host.rights"

local function check(options)
  local path = type(options) == "table" and rawget(options, "path")
  if type(path) == "string" and not rights.names(path) then
    errors.fatal("the connector's config does not name %s: give it there as a value, or let the worker file "
      .. "grant all files to the plugin (connect.lua.grants=PLUGIN:files)", path)
  end
  return options
end

local file = {}

--- A reader that starts at byte `position`. The file need not exist yet.
function file.reader(options) return files.reader(check(options)) end

--- A writer that appends, making the file when it is missing; nil and the reason when it
-- cannot be opened.
function file.writer(options) return files.writer(check(options)) end

return file
