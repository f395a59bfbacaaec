-- SPDX-License-Identifier: Apache-2.0
-- Rows of a Google sheet into a topic; README.md beside this file says how it is set up.
--   account.lua   who we are: a service account's token
--   sheet.lua     what is read: ranges of cells, and what becomes of errors
--   division.lua  which task reads which rows, and from where on
local connect = require "connect"

local account = require "account"
local division = require "division"
local sheet = require "sheet"

local COLUMN = "^%a%a?%a?$" -- A to ZZZ

-- A cell's text; nil where it is blank: Google leaves blank cells at the end of a row out, and others empty.
local function cell(row, i)
  local x = row[i]
  if x == nil or x == "" or x == connect.null then return nil end
  return tostring(x)
end

local function is_blank(row)
  for i = 1, #row do
    if cell(row, i) then return false end
  end
  return true
end

-- ------------------------------------------------------------------------ values
-- Each gives a value and its schema.

local values = {}

values["column"] = function(ctx, row) return cell(row, ctx.value_at) or "", "string" end

values["map"] = function(ctx, row)
  local value = {}
  for i, name in ipairs(ctx.names) do value[name] = cell(row, i) or connect.null end
  return value
end

values["struct"] = function(ctx, row)
  local value = {}
  for i, name in ipairs(ctx.names) do value[name] = cell(row, i) end
  return value, ctx.schema
end

-- Made in each poll: schemas that are not made in start may be forgotten between two of them.
local function schema_of(names)
  local fields = {}
  for i, name in ipairs(names) do fields[i] = { name, "string?" } end
  return connect.schema.struct { name = "google_sheet.row", fields = fields }
end

-- The fields' names are read with the first rows, and anew when a row is wider than they are.
local function know_names(ctx, rows)
  local widest = 0
  for _, row in ipairs(rows) do widest = math.max(widest, #row) end
  if not ctx.names or widest > #ctx.names then ctx.names = ctx.sheet:names(ctx, widest) end
end

local function emit(ctx, row, position)
  local value, schema = ctx.value(ctx, row)
  ctx:emit {
    topic = ctx.config.topic,
    key = cell(row, ctx.key_at) or "", key_schema = "string",
    value = value, value_schema = schema,
    source_partition = ctx.from,
    source_offset = ctx.division:offset(position),
  }
end

return {
  api = 1,
  kind = "source",
  aliases = { "SimpleGoogleSheetConnector", "io.github.brewagebear.SimpleGoogleSheetConnector" },
  version = "1.0.0",
  doc = "Reads the rows of a Google sheet, as it grows.",
  config = {
    { name = "topic", type = "string", required = true, non_empty = true, importance = "high",
      doc = "Topic to write to." },
    { name = "sheet_id", type = "string", required = true, non_empty = true, importance = "high",
      doc = "The spreadsheet's id: what stands between /d/ and /edit in its address." },
    { name = "client_email", type = "string", required = true, non_empty = true, importance = "high",
      doc = "client_email of the service account's key file; the sheet must be shared with it." },
    { name = "private_key", type = "password", required = true, importance = "high",
      doc = "private_key of the service account's key file, also with \\n for its line ends." },
    { name = "private_key_id", type = "string", default = "",
      doc = "private_key_id of the service account's key file." },
    { name = "project_id", type = "string", importance = "low", doc = "Not needed: of the key file.", default = "" },
    { name = "client_id", type = "string", importance = "low", doc = "Not needed: of the key file.", default = "" },
    { name = "sheet.name", type = "string", default = "", doc = "The tab; the first one when it is empty." },
    { name = "header.row", type = "int", default = 1, min = 0,
      doc = "Number of the row that holds the columns' names; what is below it is read. 0 = there is none." },
    { name = "key.column", type = "string", default = "A", doc = "The column that becomes the key, by its letters." },
    { name = "value.format", type = "string", default = "column", values = { "column", "struct", "map" },
      doc = "The value is one column's text, or all columns by their names: a struct, or a map without a schema." },
    { name = "value.column", type = "string", default = "B",
      doc = "The column that becomes the value when value.format is column." },
    { name = "fetch.size", type = "int", default = 100, min = 1, max = 10000,
      doc = "Rows asked for at once; also the size of the blocks in which rows are divided over tasks." },
    { name = "poll.interval.ms", type = "long", default = 1000, min = 0,
      doc = "Pause once all rows are read. Google allows 60 requests a minute by default." },
    { name = "token_uri", type = "string", default = "https://oauth2.googleapis.com/token", importance = "low",
      doc = "token_uri of the service account's key file." },
    { name = "base.url", type = "string", default = "https://sheets.googleapis.com", importance = "low",
      doc = "Where the Sheets API is." },
  },

  validate = function(config)
    local errors = {}
    for _, name in ipairs { "key.column", "value.column" } do
      local column = config[name]
      if column and not column:find(COLUMN) then errors[name] = "a column's letters, as B or AA" end
    end
    for _, name in ipairs { "token_uri", "base.url" } do
      local url = config[name]
      if url and not url:find "^https?://[^/]" then errors[name] = "a URL that begins with https://" end
    end
    local format = config["value.format"]
    if (format == "struct" or format == "map") and tonumber(config["header.row"]) == 0 then
      errors["header.row"] = "value.format " .. format .. " needs a row that holds the columns' names"
    end
    return errors
  end,

  tasks = function(config, max)
    local configs = {}
    for i = 1, max do
      local task = { ["task.id"] = tostring(i - 1), ["task.max"] = tostring(max) }
      for name, value in pairs(config) do task[name] = value end
      configs[i] = task
    end
    return configs
  end,

  start = function(ctx)
    local config = ctx.config
    local key, value = sheet.column_number(config["key.column"]), sheet.column_number(config["value.column"])
    local first, last = math.min(key, value), math.max(key, value)
    if config["value.format"] ~= "column" then first, last = nil, nil end
    ctx.sheet = sheet.new(config, account.new(config), first, last)
    ctx.key_at, ctx.value_at = key - (first or 1) + 1, value - (first or 1) + 1
    ctx.value = values[config["value.format"]]

    local id = config["task.id"] or tostring(ctx.task.id)
    ctx.from = { ["task.id"] = id }
    ctx.division = division.new(tonumber(id), tonumber(config["task.max"]) or ctx.task.max, config["fetch.size"])
    ctx.position = ctx.division:start(function(task) return ctx:offset { ["task.id"] = tostring(task) } end)
  end,

  -- One request, or what is left of its rows when they were more than a batch takes.
  poll = function(ctx)
    if not ctx.rows then
      if ctx.caught_up and ctx:sleep(ctx.config["poll.interval.ms"]) then return end
      local first, last = ctx.division:next(ctx.position)
      local rows = ctx.sheet:rows(ctx, first, last)
      ctx.caught_up = #rows <= last - first -- Google leaves out the rows below the last one that holds anything
      if #rows == 0 then return end
      if ctx.config["value.format"] ~= "column" then know_names(ctx, rows) end
      ctx.rows, ctx.first, ctx.position = rows, first, first
    end
    if ctx.config["value.format"] == "struct" then ctx.schema = schema_of(ctx.names) end
    while not ctx.full do
      local row = ctx.rows[ctx.position - ctx.first + 1]
      if not row then
        ctx.rows = nil
        return
      end
      ctx.position = ctx.position + 1
      if not is_blank(row) then emit(ctx, row, ctx.position) end
    end
  end,

  -- To read all of it again, forget the offsets; to skip rows, set a position (how many rows are done).
  alter_offsets = function(_, offsets)
    for _, item in ipairs(offsets) do
      if item.offset then division.check(item.partition, item.offset) end
    end
    return true
  end,
}
