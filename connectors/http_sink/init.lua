-- SPDX-License-Identifier: Apache-2.0
-- Each record, or several together, becomes an HTTP request. See README.md.
--
-- put returns once every record is answered, so that Connect commits no offset before. Where that may come later it
-- raises connect.retriable: Connect then puts the same batch again, and what was answered before is left out.
local connect = require "connect"
local http_config = require "connect.http_config"
local message = require "message"

-- No put takes much longer: a consumer that does not poll within max.poll.interval.ms loses its partitions.
local PUT_MS = 60000

local rows = http_config.rows {
  { name = "http.url", type = "string", required = true, non_empty = true, importance = "high",
    doc = "URL to send to, with `${topic}`, `${partition}`, `${offset}`, `${timestamp}`, `${key}`, `${key.field}`, "
      .. "`${value.field}` of the record, percent-encoded. `http.headers` may have them, too." },
  { name = "http.method", type = "string", default = "POST", values = { "POST", "PUT", "PATCH" }, importance = "high",
    doc = "Method of the request." },
  { name = "request.body.format", type = "string", default = "string", values = { "string", "json" },
    importance = "medium", doc = "string: text and bytes are sent as they are, everything else as JSON. json: "
      .. "text, too, becomes JSON." },
  { name = "behavior.on.null.values", type = "string", default = "ignore", values = { "ignore", "delete", "fail" },
    importance = "medium", doc = "Records without a value are left out, sent as DELETE without a body, or failures." },
  { name = "batch.max.size", type = "int", default = 1, min = 1, importance = "medium",
    doc = "The most records in one request. Only those with the same URL and headers come together." },
  { name = "batch.prefix", type = "string", default = "[", importance = "low",
    doc = "What a body begins with when batch.max.size is above 1. `\\n` is a line end, here and below." },
  { name = "batch.separator", type = "string", default = ",", importance = "low", doc = "What is between two values." },
  { name = "batch.suffix", type = "string", default = "]", importance = "low", doc = "What such a body ends with." },
  { name = "http.retry.status.codes", type = "list", default = "408,425,429,500-599", importance = "medium",
    doc = "Statuses after which the request is sent again." },
  { name = "http.fatal.status.codes", type = "list", default = "300-399,401,403,407", importance = "medium",
    doc = "Statuses that fail the task. After all other ones than 2xx the record has failed: see errors.tolerance." },
  { name = "retry.timeout.ms", type = "long", default = -1, min = -1, importance = "medium",
    doc = "How long a request is tried again before its records have failed; -1 = as long as it takes." },
  { name = "retry.backoff.ms", type = "long", default = 1000, min = 1, importance = "low",
    doc = "Pause before a request is sent again, doubled with each further time." },
  { name = "retry.backoff.max.ms", type = "long", default = 60000, min = 1, importance = "low",
    doc = "The longest such pause. What the server asks for by Retry-After is waited for all the same." },
}

-- ------------------------------------------------------------- what has been answered

-- Per topic and partition, while a put is repeated: the newest offset that is done with. Records of a partition come
-- in order, so those up to it are.
local function is_done(ctx, record)
  local topic = ctx.done[record.original_topic]
  local offset = topic and topic[record.original_partition]
  return offset ~= nil and record.offset <= offset
end

local function done_with(ctx, record)
  local topic = ctx.done[record.original_topic] or {}
  ctx.done[record.original_topic] = topic
  topic[record.original_partition] = record.offset
end

-- The record has failed: errors.tolerance and the dead letter queue say what comes of it. Raises unless tolerated.
local function reject(ctx, record, e)
  ctx:reject(record, e)
  done_with(ctx, record)
end

-- ------------------------------------------------------------------------- requests

-- Raises what has the batch put again; false when the time for that is over.
local function try_again(ctx, e, asked)
  local now, limit = connect.time.monotonic(), ctx.config["retry.timeout.ms"]
  ctx.failing_since = ctx.failing_since or now
  local ms = ctx.config["retry.backoff.ms"] * 2 ^ math.min(ctx.failures, 30)
  ms = math.max(math.min(ms, ctx.config["retry.backoff.max.ms"]), asked or 0)
  if limit >= 0 and now + ms - ctx.failing_since > limit then return false end
  ctx.failures, ctx.repeated = ctx.failures + 1, true
  ctx:timeout(ms) -- when put comes again
  connect.retriable("%s; it is sent again in %.1f s", e.message, ms / 1000)
end

local function succeeded(ctx) ctx.failures, ctx.failing_since = 0, nil end

local function body_of(ctx, run)
  if run.method == "DELETE" then return nil end
  local texts = {}
  for i, entry in ipairs(run) do texts[i] = entry.text end
  if ctx.config["batch.max.size"] == 1 then return texts[1] end
  return ctx.prefix .. table.concat(texts, ctx.separator) .. ctx.suffix
end

local function headers_of(ctx, run)
  local headers = {}
  for name, text in pairs(run.headers) do headers[name] = text end
  if run.method ~= "DELETE" and not ctx.has_content_type then
    local is_json = run[1].is_json or ctx.config["batch.max.size"] > 1 and ctx.prefix:find "^%s*%["
    headers["Content-Type"] = is_json and "application/json" or "text/plain; charset=utf-8"
  end
  return headers
end

-- Slow servers: the group is polled between two parts of a batch.
local function breathe(ctx)
  ctx.requests = ctx.requests + 1
  if ctx.requests == 1 or connect.time.monotonic() - ctx.put_began < PUT_MS then return end
  ctx.repeated = true
  ctx:timeout(0)
  connect.retriable("the server is slow: the first requests took %d s, the batch's others are sent now", PUT_MS / 1000)
end

-- Sends a run of records that belong into one request, and is done with them when it returns.
local function send(ctx, run)
  breathe(ctx)
  local res, e = ctx.api:request { method = run.method, url = run.url, headers = headers_of(ctx, run),
    body = body_of(ctx, run) }
  if res and res.ok then
    for _, entry in ipairs(run) do done_with(ctx, entry.record) end
    return succeeded(ctx)
  end
  local status = res and res.status
  if not res and e.class ~= "retriable" or ctx.fatal[status] then error(e or http_config.problem(res, "fatal")) end
  if not res or ctx.retried[status] then
    e = e or http_config.problem(res, "retriable")
    try_again(ctx, e, res and res:retry_after())
    succeeded(ctx) -- with what comes behind them the time begins anew
  elseif #run > 1 then -- one of them may be to blame for all
    for _, entry in ipairs(run) do
      send(ctx, { entry, method = run.method, url = run.url, headers = run.headers })
    end
    return
  end
  for _, entry in ipairs(run) do reject(ctx, entry.record, e or http_config.problem(res, "data")) end
end

-- The record's part of a request; nil when it is left out.
local function entry_of(ctx, record)
  local config, method = ctx.config, ctx.config["http.method"]
  local text, is_json
  if message.is_null(record.value) then
    local behavior = config["behavior.on.null.values"]
    if behavior == "ignore" then return nil end
    if behavior == "fail" then connect.data_error "the record has no value" end
    method = "DELETE"
  else
    text, is_json = message.body(record, config["request.body.format"])
  end
  local url, headers, place = message.target(ctx.templates, record)
  return { record = record, text = text, is_json = is_json, method = method, url = url, headers = headers,
    place = method .. " " .. place }
end

-- ----------------------------------------------------------------------------- verbs

local LISTS = { "http.retry.status.codes", "http.fatal.status.codes" }

local function check_variables(text)
  local template, why = http_config.template(text)
  for _, name in ipairs(template and template.names or {}) do
    if not message.is_variable(name) then
      return ("there is no ${%s}, but topic, partition, offset, timestamp, key, key.field and value.field"):format(name)
    end
  end
  return why
end

local function validate(config)
  local out = http_config.validate(config)
  for _, name in ipairs { "http.url", "http.headers", "http.headers.secret" } do
    out[name] = out[name] or check_variables(config[name] or "")
  end
  for _, name in ipairs(LISTS) do
    local _, why = http_config.statuses(config[name] or "")
    out[name] = why
  end
  return out
end

-- A redirected POST becomes a GET, whose 200 says nothing of the record.
local function client_of(config) return http_config.client(config, { follow = 0 }) end

-- Whether the server is there, trusted, and gives tokens. What it says to a request without a record means nothing.
local function check(config)
  local _, e = client_of(config):request { method = "HEAD", url = http_config.server(config["http.url"]) .. "/" }
  if e then return { ["http.url"] = e.message } end
end

local ESCAPES = { n = "\n", r = "\r", t = "\t", ["\\"] = "\\" }

-- Line ends as they can be written: configs are trimmed.
local function unescaped(text) return (text:gsub("\\([nrt\\])", ESCAPES)) end

return {
  api = 1,
  kind = "sink",
  class = "http_sink",
  aliases = { "HttpSink", "HttpSinkConnector" },
  version = connect.version,
  doc = "Sends records to an HTTP server, one or several in a request.",
  config = rows,
  validate = validate,
  check = check,

  start = function(ctx)
    local config = ctx.config
    ctx.api = client_of(config)
    ctx.templates = { url = http_config.template(config["http.url"]), headers = {} }
    for i, header in ipairs(http_config.all_headers(config)) do
      ctx.templates.headers[i] = { name = header[1], template = http_config.template(header[2]) }
      ctx.has_content_type = ctx.has_content_type or header[1]:lower() == "content-type"
    end
    ctx.retried, ctx.fatal = http_config.statuses(config[LISTS[1]]), http_config.statuses(config[LISTS[2]])
    ctx.prefix, ctx.separator = unescaped(config["batch.prefix"]), unescaped(config["batch.separator"])
    ctx.suffix = unescaped(config["batch.suffix"])
    ctx.done, ctx.failures = {}, 0
  end,

  put = function(ctx, batch)
    if not ctx.repeated then ctx.done = {} end
    ctx.put_began, ctx.requests = connect.time.monotonic(), 0
    local run = {}
    local function send_run()
      local full = run
      run = {}
      if #full > 0 then send(ctx, full) end
    end
    for _, record in batch:records() do
      if not is_done(ctx, record) then
        local ok, entry = pcall(entry_of, ctx, record)
        if not ok and not (type(entry) == "table" and entry.class == "data") then error(entry, 0) end
        if not ok or not entry or #run >= ctx.config["batch.max.size"] or entry.place ~= run.place then send_run() end
        if not ok then
          reject(ctx, record, entry)
        elseif entry then
          run.method, run.url, run.headers, run.place = entry.method, entry.url, entry.headers, entry.place
          run[#run + 1] = entry
        end
      end
    end
    send_run()
    ctx.repeated = false
  end,

  -- Its offsets are the consumer group's alone.
  alter_offsets = function() return true end,
}
