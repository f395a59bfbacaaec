-- SPDX-License-Identifier: Apache-2.0
-- FileStreamSink: each record's value as a line of a file, or of standard output.
-- Differences from Apache's: a write error fails the task; flush makes the file durable before
-- offsets are committed; a line torn by a crash is ended before new ones follow.
local connect = require "connect"

-- The file to append to; nil = standard output.
local function file_of(config)
  local file = config.file
  if file and file:find "%S" then return file end
end

return {
  api = 1,
  kind = "sink",
  class = "org.apache.kafka.connect.file.FileStreamSinkConnector",
  aliases = { "FileStreamSink", "FileStreamSinkConnector" },
  version = "4.2.0", -- of the Apache class it stands in for: configs name it in *.plugin.version
  doc = "Appends the text of each record's value to a file, or prints it.",
  config = {
    { name = "file", type = "string", importance = "high",
      doc = "Destination filename. If not specified, the standard output will be used" },
  },

  -- All tasks append to the same file.
  tasks = function(config, max)
    local configs = {}
    for i = 1, max do configs[i] = config end
    return configs
  end,

  start = function(ctx)
    local file = file_of(ctx.config)
    local out, why = connect.file.writer { path = file }
    if not out then
      connect.fatal("Couldn't find or create file '%s' for FileStreamSinkTask: %s", file, why)
    end
    ctx.out = out
  end,

  -- Its offsets are the consumer group's alone.
  alter_offsets = function() return true end,

  put = function(ctx, batch) ctx.out:batch(batch) end,

  flush = function(ctx) ctx.out:sync() end,

  stop = function(ctx)
    if ctx.out then ctx.out:close() end
  end,
}
