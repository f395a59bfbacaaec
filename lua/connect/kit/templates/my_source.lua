-- my_source: emits a numbered record every interval. Replace what poll does by reading from your system.
return {
  api = 1,
  kind = "source",
  version = "0.1.0",
  doc = "Emits a numbered record every interval.",

  -- Each row is a key of the connector's config: checked before start, shown by REST, documented by connect-lua doc.
  -- type: string, int, long, short, double, boolean, list, class or password (shown to nobody).
  config = {
    { name = "topic", type = "string", required = true, non_empty = true, importance = "high",
      doc = "Topic to write to." },
    { name = "interval.ms", type = "int", default = 1000, min = 0, doc = "Pause before each record." },
  },

  -- Called once for each task. ctx is the task's: keep in it what poll needs.
  start = function(ctx)
    ctx.from = { source = "my_source" } -- the source partition: what offsets are stored for
    local offset = ctx:offset(ctx.from) -- where the last run ended; nil the first time
    ctx.n = offset and offset.n or 0
  end,

  -- Called again and again. Emit what there is and return; sleep when there is nothing.
  poll = function(ctx)
    if ctx:sleep(ctx.config["interval.ms"]) then return end -- true: the task is asked to stop
    ctx.n = ctx.n + 1
    ctx:emit {
      topic = ctx.config.topic,
      key = tostring(ctx.n),
      value = { n = ctx.n, text = "hello" },
      source_partition = ctx.from,
      source_offset = { n = ctx.n }, -- stored once Kafka has the record: ctx:offset finds it after a restart
    }
    -- In a loop look at ctx.full: poll should return when it is true.
  end,

  -- Called once at the end, also when start or poll failed: close what start opened.
  stop = function() end,

  -- More that a source may have:
  --   tasks = function(config, max) return { config } end            one config for each task
  --   validate = function(config) return { topic = "why not" } end   errors by key, before it starts
  --   commit = function(ctx) end                                     after offsets were stored
}
