-- SPDX-License-Identifier: Apache-2.0
-- Asks a URL again and again; answers, or the items of lists in them, become records. See README.md.
-- progress.lua knows what is new, pages.lua where an answer goes on.
local connect = require "connect"
local http_config = require "connect.http_config"
local pages = require "pages"
local progress = require "progress"

local LIST, NEXT = "http.response.list.pointer", "http.paging.next.pointer"
local KEY, TIMESTAMP, OFFSET =
  "http.response.record.key.pointer", "http.response.record.timestamp.pointer", "http.response.record.offset.pointer"
local POINTERS = { LIST, KEY, TIMESTAMP, OFFSET, NEXT }

local rows = http_config.rows {
  { name = "http.url", type = "string", required = true, non_empty = true, importance = "high",
    doc = "URL to ask. `${offset}`, `${page}` and `${cursor}` stand for what the next call begins with." },
  { name = "topic", type = "string", required = true, non_empty = true, importance = "high",
    doc = "Topic to write to." },
  { name = "poll.interval.ms", type = "long", default = 60000, min = 1, importance = "high",
    doc = "From the beginning of a call to that of the next." },
  { name = "http.method", type = "string", default = "GET", values = { "GET", "POST", "PUT" }, importance = "medium",
    doc = "Method of the call." },
  { name = "http.body", type = "string", importance = "medium",
    doc = "Body of the call, with variables as in `http.url`." },
  { name = "http.offset.initial", type = "string", importance = "medium",
    doc = "What `${offset}` is before there is one." },
  { name = "http.offset.mode", type = "string", default = "greatest", values = { "greatest", "last", "count" },
    importance = "medium", doc = "What the offset is: the items' greatest, and items below it are left out; the last "
      .. "item's, whatever it is; or how many items there were, for APIs that skip so many." },
  { name = LIST, type = "string", importance = "high",
    doc = "JSON pointer to the list of items in the answer, `/` for the answer itself. Without it the answer is "
      .. "one record." },
  { name = KEY, type = "string", importance = "medium", doc = "JSON pointer to the key in an item." },
  { name = TIMESTAMP, type = "string", importance = "medium",
    doc = "JSON pointer to the timestamp in an item: milliseconds since 1970, or a date of ISO 8601." },
  { name = OFFSET, type = "string", importance = "medium",
    doc = "JSON pointer to the offset in an item: a number, a date, or text that grows." },
  { name = "http.value.format", type = "string", default = "string", values = { "string", "json", "bytes" },
    importance = "medium", doc = "What a value is: text, JSON without a schema, or bytes." },
  { name = "http.conditional", type = "boolean", default = false, importance = "medium",
    doc = "Asks with `If-None-Match` or `If-Modified-Since`, so that what has not changed is not sent again." },
  { name = "http.paging.mode", type = "string", default = "none", values = { "none", "link", "number", "pointer" },
    importance = "medium", doc = "How an answer goes on: not at all; by its header `Link`; with `${page}` until a "
      .. "page is empty; or where `" .. NEXT .. "` points to." },
  { name = NEXT, type = "string", importance = "medium",
    doc = "JSON pointer to the next page in an answer: a URL, or what `${cursor}` stands for then." },
  { name = "http.paging.first.page", type = "int", default = 1, min = 0, importance = "low",
    doc = "What `${page}` is at first." },
  { name = "http.paging.max.pages", type = "int", default = 100, min = 1, importance = "low",
    doc = "The most pages in one interval. The next goes on with the others." },
  { name = "http.fatal.status.codes", type = "list", default = "", importance = "medium",
    doc = "Statuses that fail the task, like `401,403` or `400-499`. All others are tried again." },
  { name = "retry.backoff.ms", type = "long", default = 1000, min = 1, importance = "low",
    doc = "Pause after a call that failed, doubled with each further one." },
  { name = "retry.backoff.max.ms", type = "long", default = 60000, min = 1, importance = "low",
    doc = "The longest such pause. What the server asks for by Retry-After is waited for all the same." },
}

-- ------------------------------------------------------------------------- the call

local function variable(ctx, name)
  local state = ctx.state
  if name == "offset" then return state.offset or ctx.config["http.offset.initial"] or "" end
  if name == "page" then return tostring(state.page or ctx.config["http.paging.first.page"]) end
  return tostring(state.page or "") -- cursor
end

-- In a body of JSON they stand within quotes.
local function in_json(text) return connect.json.encode(text):sub(2, -2) end

local function request_of(ctx)
  local config, state, headers = ctx.config, ctx.state, {}
  for _, header in ipairs(ctx.headers) do headers[header[1]] = header[2] end
  if config["http.conditional"] then
    headers["If-None-Match"], headers["If-Modified-Since"] = state.etag, state.modified
  end
  local body = ctx.body and ctx.body.fill(function(name)
    local text = variable(ctx, name)
    return ctx.json_body and in_json(text) or text
  end)
  if ctx.json_body and not headers["Content-Type"] then headers["Content-Type"] = "application/json" end
  local url = ctx.url.fill(function(name) return http_config.escape(variable(ctx, name)) end)
  local link = type(state.page) == "string" and state.page:find "^https?://" and state.page
  return { method = config["http.method"], url = link or url, headers = headers, body = body }
end

-- Tried again, after a pause that becomes longer.
local function try_again(ctx, e, asked)
  ctx.failures = ctx.failures + 1
  local ms = ctx.config["retry.backoff.ms"] * 2 ^ math.min(ctx.failures - 1, 30)
  ms = math.max(math.min(ms, ctx.config["retry.backoff.max.ms"]), asked or 0)
  ctx.due = connect.time.monotonic() + ms
  connect.retriable("%s; the next call is in %.1f s", e.message, ms / 1000)
end

-- An answer that is none. A stored cursor may have died while nobody asked: the sweep begins anew, and repeats.
local function refused(ctx, res)
  local status, state = res.status, ctx.state
  if ctx.fatal[status] then error(http_config.problem(res, "fatal")) end
  if state.page and ctx.resumed and (status == 400 or status == 404 or status == 410) then
    ctx.log:warn("the page that was stored is gone, beginning with the first one")
    state.page, ctx.resumed = nil, false
  end
  try_again(ctx, http_config.problem(res, "retriable"), res:retry_after())
end

local function pointed(doc, pointer) return connect.json.pointer(doc, pointer == "/" and "" or pointer) end

-- The items of an answer, and all of it as JSON where that is asked for; nil and why not.
local function items_of(ctx, res)
  if not ctx.reads_json then return { res.body } end
  local doc, why = res:json()
  if doc == nil then return nil, "is no JSON (" .. why .. ")" end
  if not ctx.config[LIST] then return { doc }, doc end
  local items = pointed(doc, ctx.config[LIST])
  if items == connect.null then items = {} end
  if type(items) ~= "table" or next(items) and items[1] == nil then
    return nil, "there is no list at " .. ctx.config[LIST]
  end
  return items, doc
end

local function check_items(ctx, items)
  local config = ctx.config
  for _, item in ipairs(items) do
    if config[OFFSET] and not progress.text(pointed(item, config[OFFSET])) then
      return "an item has no offset at " .. config[OFFSET]
    end
    local at = config[TIMESTAMP] and pointed(item, config[TIMESTAMP])
    if type(at) == "string" and not connect.time.parse(at) then
      return ("an item's timestamp at %s is no date"):format(config[TIMESTAMP])
    end
  end
end

-- What an answer holds: { items that are new, how many were emitted, the state before and behind, goes_on: the next
-- page is to be had at once }.
local function page_of(ctx, res)
  local config, before = ctx.config, ctx.state
  local items, doc = items_of(ctx, res)
  local why = items and check_items(ctx, items) or not items and doc
  local next_page
  if not why then next_page, why = pages.after(config, before, res, doc, items) end
  if why then try_again(ctx, http_config.problem(res, "retriable", why)) end
  local fresh, behind
  if config[OFFSET] and config["http.offset.mode"] ~= "count" then
    local function offset_of(item) return progress.text(pointed(item, config[OFFSET])) end
    fresh, behind = progress.advance(before, items, offset_of, next_page, config["http.offset.mode"] == "greatest")
  else
    fresh, behind = {}, { page = next_page }
    for i, item in ipairs(items) do fresh[i] = { item } end
    if config["http.offset.mode"] == "count" then behind.offset = ("%d"):format((before.offset or 0) + #items) end
  end
  if config["http.conditional"] then
    behind.etag, behind.modified = res.headers["ETag"], res.headers["Last-Modified"]
  end
  before.fetched, behind.fetched = connect.time.now(), connect.time.now() -- often all there is to an offset
  -- A feed has a next page for ever. At its end that is the same one, or comes with nothing: it is asked for later.
  local goes_on = next_page ~= nil and next_page ~= before.page and #items > 0
  return { items = fresh, emitted = 0, before = before, behind = behind, goes_on = goes_on }
end

-- Asks for the next page; nil when there is nothing new.
local function fetch(ctx)
  local began = connect.time.monotonic()
  local res, e = ctx.api:request(request_of(ctx))
  if not res then try_again(ctx, e) end
  local past_the_end = res.status == 404 and ctx.config["http.paging.mode"] == "number" and ctx.state.page
  if not (res.ok or res.status == 304 or past_the_end) then refused(ctx, res) end
  local page
  if past_the_end then
    page = { items = {}, emitted = 0, behind = select(2, progress.advance(ctx.state, {}, nil, nil, true)) }
  elseif res.status ~= 304 and res.body ~= "" then
    page = page_of(ctx, res)
  end
  ctx.failures, ctx.resumed = 0, false
  ctx.pages = ctx.pages + 1
  local goes_on = page and page.goes_on and ctx.pages < ctx.config["http.paging.max.pages"]
  if not goes_on then ctx.due, ctx.pages = (ctx.began or began) + ctx.config["poll.interval.ms"], 0 end
  ctx.began = goes_on and (ctx.began or began) or nil
  return page
end

-- ------------------------------------------------------------------------- records

local SCHEMAS = { string = "string", bytes = "bytes" }

local function value_of(ctx, item)
  if ctx.config["http.value.format"] == "json" then return item end
  return progress.text(item)
end

-- A record carries the state from which nothing is lost: its page's beginning, and only its last record the next one.
local function emit(ctx, page)
  local config = ctx.config
  while page.emitted < #page.items do
    if ctx.full then return false end
    page.emitted = page.emitted + 1
    local item = page.items[page.emitted][1]
    local value = value_of(ctx, item)
    local key = config[KEY] and progress.text(pointed(item, config[KEY]))
    local at = config[TIMESTAMP] and pointed(item, config[TIMESTAMP])
    if type(at) == "string" then at = connect.time.parse(at) end
    ctx:emit {
      topic = config.topic,
      key = key, key_schema = key and "string",
      value = value, value_schema = value ~= nil and SCHEMAS[config["http.value.format"]] or nil,
      timestamp = type(at) == "number" and math.floor(at) or nil,
      source_partition = ctx.partition_id,
      source_offset = page.emitted == #page.items and page.behind or page.before,
    }
  end
  return true
end

-- ----------------------------------------------------------------------------- verbs

-- Query and user are no part of it: they may hold secrets, and may change.
local function partition_of(config)
  local url = config["http.url"]:match("^[^?#]*"):gsub("//[^/@]*@", "//")
  return { url = url }
end

local function stored_state(ctx)
  local state = ctx:offset(partition_of(ctx.config)) or {}
  for name, x in pairs(state) do
    if x == connect.null then state[name] = nil end
  end
  for _, name in ipairs { "offset", "high" } do state[name] = progress.text(state[name]) end
  state.page = ctx.config["http.paging.mode"] ~= "none" and state.page or nil
  if ctx.config["http.paging.mode"] == "number" then state.page = tonumber(state.page) end
  local counts = ctx.config["http.offset.mode"] == "count"
  if not ctx.config[OFFSET] and not counts then state.offset = nil
  elseif not state.offset then state.offset = ctx.config["http.offset.initial"] or counts and "0" or nil end
  return state
end

local function variables(config)
  local out = {}
  for _, name in ipairs { "http.url", "http.body" } do
    local template = http_config.template(config[name] or "")
    for _, used in ipairs(template and template.names or {}) do out[used] = out[used] or name end
  end
  return out
end

local KNOWN = { offset = true, page = true, cursor = true }

local function validate(config)
  local out = http_config.validate(config)
  for _, name in ipairs(POINTERS) do
    local ok, e = pcall(connect.json.pointer, {}, config[name] or "")
    if not ok then out[name] = (tostring(e):gsub("^.-:%d+: ", "")) end
  end
  local _, why = http_config.statuses(config["http.fatal.status.codes"] or "")
  out["http.fatal.status.codes"] = why
  local _, bad_body = http_config.template(config["http.body"] or "")
  out["http.body"] = bad_body
  local used, mode = variables(config), config["http.paging.mode"] or "none"
  for name, where in pairs(used) do
    if not KNOWN[name] then out[where] = ("there is no ${%s}, but ${offset}, ${page} and ${cursor}"):format(name) end
  end
  local counts = config["http.offset.mode"] == "count"
  if used.offset and not config[OFFSET] and not counts then out[OFFSET] = "${offset} needs it" end
  if counts and mode ~= "none" then out["http.offset.mode"] = "to count is for http.paging.mode=none" end
  if counts and not (config["http.offset.initial"] or "0"):find "^%s*%d+%s*$" then
    out["http.offset.initial"] = "it must be a whole number where http.offset.mode is count"
  end
  if used.page and mode ~= "number" then out["http.paging.mode"] = "${page} needs it to be number" end
  if mode == "number" and not used.page then
    out["http.paging.mode"] = "number needs ${page} in http.url or http.body"
  end
  if mode == "number" and not config[LIST] then out[LIST] = "http.paging.mode=number needs it" end
  if mode == "pointer" and not config[NEXT] then out[NEXT] = "http.paging.mode=pointer needs it" end
  if (config["http.conditional"] or "false"):lower() == "true" and (used.offset or mode ~= "none") then
    out["http.conditional"] = "it is for a URL without ${offset} and without pages, which always stands for the same"
  end
  return out
end

-- What calls need, of the config alone.
local function prepare(ctx)
  local config = ctx.config
  ctx.api, ctx.headers = http_config.client(config), http_config.all_headers(config)
  ctx.url = http_config.template(config["http.url"])
  ctx.body = config["http.body"] and http_config.template(config["http.body"])
  ctx.json_body = config["http.body"] and config["http.body"]:find "^%s*[{[]"
  ctx.fatal = http_config.statuses(config["http.fatal.status.codes"])
  ctx.reads_json = config["http.value.format"] == "json"
  for _, name in ipairs(POINTERS) do ctx.reads_json = ctx.reads_json or config[name] ~= nil end
end

-- Makes the first call.
local function check(config)
  local ctx = { config = config, state = {} }
  prepare(ctx)
  local res, e = ctx.api:request(request_of(ctx))
  if not res then return { ["http.url"] = e.message } end
  if not res.ok then return { ["http.url"] = http_config.problem(res).message } end
  local items, doc = items_of(ctx, res)
  if not items then return { [LIST] = http_config.problem(res, nil, doc).message } end
  local why = check_items(ctx, items)
  if why then return { [OFFSET] = http_config.problem(res, nil, why).message } end
end

return {
  api = 1,
  kind = "source",
  class = "com.example.connect.HttpPollSourceConnector",
  aliases = { "HttpPollSourceConnector", "HttpPollSource", "http_poll_source" },
  version = connect.version,
  doc = "Asks a URL at an interval; its answers, or the items in them, become records.",
  config = rows,
  validate = validate,
  check = check,

  -- One URL is asked by one task, whatever tasks.max is.
  tasks = function(config) return { config } end,

  start = function(ctx)
    prepare(ctx)
    ctx.partition_id = ctx:partition(partition_of(ctx.config))
    ctx.state = stored_state(ctx)
    ctx.resumed, ctx.failures, ctx.pages, ctx.due = true, 0, 0, 0
  end,

  poll = function(ctx)
    if not ctx.page then
      if ctx:sleep(ctx.due - connect.time.monotonic()) then return end -- asked to stop
      ctx.page = fetch(ctx)
    end
    if ctx.page and emit(ctx, ctx.page) then -- what has no room in this batch comes with the next
      ctx.state, ctx.page = ctx.page.behind, nil
    end
  end,

  -- Its offsets are its own alone: any that REST writes is gone on from.
  alter_offsets = function() return true end,
}
