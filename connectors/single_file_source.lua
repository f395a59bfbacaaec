-- SPDX-License-Identifier: Apache-2.0
-- Teaching example: the lines of one file into a topic, counted in lines.
-- connectors/file_stream_source.lua is the one to use: it counts in bytes.
local connect = require "connect"

local function partition(ctx) return { filename = ctx.config.file } end

return {
  api = 1,
  kind = "source",
  class = "SingleFileSourceConnector",
  aliases = { "SingleFileSource" },
  version = connect.version,
  doc = "Each line of a file becomes one record; its position is the number of lines sent.",
  config = {
    { name = "file", type = "string", default = "/tmp/kafka.txt", importance = "high", doc = "File to read." },
    { name = "topic", type = "string", default = "test", importance = "high", doc = "Topic to write to." },
  },

  start = function(ctx)
    ctx.sent = (ctx:offset(partition(ctx)) or { position = 0 }).position
    ctx.seen = 0
    ctx.reader = connect.file.reader { path = ctx.config.file }
  end,

  poll = function(ctx)
    local line
    while not ctx.full do
      line = ctx.reader:line()
      if not line then break end
      ctx.seen = ctx.seen + 1
      if ctx.seen > ctx.sent then
        ctx:emit {
          topic = ctx.config.topic,
          value = line,
          value_schema = "string",
          source_partition = partition(ctx),
          source_offset = { position = ctx.seen },
        }
      end
    end
    if not line then ctx:sleep(1000) end
  end,

  stop = function(ctx)
    if ctx.reader then ctx.reader:close() end
  end,
}
