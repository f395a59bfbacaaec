-- SPDX-License-Identifier: Apache-2.0
-- The smallest source: copy this file, rename it, and change poll.
return {
  api = 1,
  kind = "source",
  version = "1.0.0",
  doc = "Emits a greeting every interval.",
  config = {
    { name = "topic", type = "string", required = true, importance = "high", doc = "Topic to write to." },
    { name = "interval.ms", type = "int", default = 1000, min = 1, doc = "Pause between records." },
  },

  start = function(ctx)
    ctx.n = (ctx:offset { greeter = 1 } or { n = 0 }).n
  end,

  poll = function(ctx)
    if ctx:sleep(ctx.config["interval.ms"]) then return end -- asked to stop
    ctx.n = ctx.n + 1
    ctx:emit {
      topic = ctx.config.topic,
      value = { n = ctx.n, text = "hello" },
      source_partition = { greeter = 1 },
      source_offset = { n = ctx.n },
    }
  end,
}
