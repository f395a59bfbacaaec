-- SPDX-License-Identifier: Apache-2.0
-- Teaching example: each record's value becomes a line of one file. put fills a buffer;
-- flush makes it durable, so that an offset is committed only for what is in the file.
local connect = require "connect"

return {
  api = 1,
  kind = "sink",
  class = "SingleFileSinkConnector",
  aliases = { "SingleFileSink" },
  version = connect.version,
  doc = "Appends each record's value and a line end to a file.",
  config = {
    { name = "file", type = "string", required = true, importance = "high", doc = "File to append to." },
  },

  start = function(ctx)
    ctx.out = assert(connect.file.writer { path = ctx.config.file })
  end,

  put = function(ctx, batch)
    for _, record in batch:records() do ctx.out:line(record.value) end
  end,

  flush = function(ctx) ctx.out:sync() end,

  stop = function(ctx)
    if ctx.out then ctx.out:close() end
  end,
}
