-- my_sink: appends keys and values to a file. Replace what put and flush do by writing to your system.
local connect = require "connect"

return {
  api = 1,
  kind = "sink",
  version = "0.1.0",
  doc = "Appends the key and value of each record to a file.",

  -- Each row is a key of the connector's config: checked before start, shown by REST, documented by connect-lua doc.
  -- type: string, int, long, short, double, boolean, list, class or password (shown to nobody).
  config = {
    { name = "file", type = "string", required = true, non_empty = true, importance = "high",
      doc = "File to append to." },
    { name = "separator", type = "string", default = "=", doc = "Between key and value." },
  },

  -- Called once for each task. ctx is the task's: keep in it what put needs.
  start = function(ctx)
    local out, why = connect.file.writer { path = ctx.config.file }
    if not out then connect.fatal("%s cannot be written: %s", ctx.config.file, why) end
    ctx.out = out
  end,

  -- Called with the records that came; also with none. Records end with the batch: connect.copy keeps a value.
  --   connect.retriable "why"    the same batch is put again
  --   ctx:reject(record, "why")  gives one record up, as errors.tolerance says
  --   anything else thrown       ends the task
  put = function(ctx, batch)
    for _, record in batch:records() do
      ctx.out:line(connect.text(record.key) .. ctx.config.separator .. connect.text(record.value))
    end
  end,

  -- Called before offsets are committed: what put took must be safe when it returns.
  flush = function(ctx) ctx.out:sync() end,

  -- Called once at the end, also when start failed: close what start opened.
  stop = function(ctx)
    if ctx.out then ctx.out:close() end
  end,

  -- More that a sink may have:
  --   tasks = function(config, max) return { config } end            one config for each task
  --   validate = function(config) return { file = "why not" } end    errors by key, before it starts
  --   open = function(ctx, partitions) end, close = ...              partitions come and go
}
