-- SPDX-License-Identifier: Apache-2.0
-- FileStreamSource: lines of a file, or of standard input, into a topic.
-- Differences from Apache's: positions are true bytes of the file; lines left over by a full
-- batch come with the next poll; a file shorter than the stored position is read anew.
local connect = require "connect"

-- The file to read; nil = standard input.
local function file_of(config)
  local file = config.file
  if file and file:find "%S" then return file end
end

local function stored_position(ctx, file)
  local offset = file and ctx:offset { filename = file }
  local position = offset and offset.position
  if position == nil or position == connect.null then return 0 end
  if type(position) ~= "number" or position % 1 ~= 0 then connect.fatal "Offset position is the incorrect type" end
  return position
end

-- In Apache's words; the task finds out whether the file has that position.
local function check_offset(partition, offset)
  local position = offset.position
  if position == nil then connect.fatal "Offset objects should either be null or contain the key 'position'" end
  if not (type(position) == "cdata" or type(position) == "number" and position % 1 == 0) then
    connect.fatal "The value for the 'position' key in the offset is expected to be a Long value"
  end
  if position < 0 then
    connect.fatal "The value for the 'position' key in the offset should be a non-negative value"
  end
  if not partition then connect.fatal "Partition objects cannot be null" end
  if partition.filename == nil then connect.fatal "Partition objects should contain the key 'filename'" end
end

return {
  api = 1,
  kind = "source",
  class = "org.apache.kafka.connect.file.FileStreamSourceConnector",
  aliases = { "FileStreamSource", "FileStreamSourceConnector" },
  version = "4.2.0", -- of the Apache class it stands in for: configs name it in *.plugin.version
  doc = "Lines of a file, or of standard input, as string records.",
  config = {
    { name = "file", type = "string", importance = "high",
      doc = "Source filename. If not specified, the standard input will be used" },
    { name = "topic", type = "string", required = true, non_empty = true, importance = "high",
      doc = "The topic to publish data to" },
    { name = "batch.size", type = "int", default = 2000, importance = "low",
      doc = "The maximum number of records the source task can read from the file each time it is polled" },
  },

  start = function(ctx)
    local file = file_of(ctx.config)
    ctx.reader = connect.file.reader { path = file, position = stored_position(ctx, file) }
    ctx.lines = {
      topic = ctx.config.topic,
      partition = ctx:partition { filename = ctx.config.file or connect.null },
      max = ctx.config["batch.size"], -- less than one means one, as with Apache
    }
  end,

  poll = function(ctx)
    local n, why = ctx.reader:fill(ctx.lines)
    if why == "missing" and not ctx.warned then
      ctx.log:warn("Couldn't find file %s for FileStreamSourceTask, sleeping to wait for it to be created",
        ctx.config.file)
      ctx.warned = true
    end
    if not n or n == 0 then ctx:sleep(1000) end
  end,

  -- Whatever is to be forgotten may be: partitions of files that were once read, garbage too.
  alter_offsets = function(config, offsets)
    if not file_of(config) then
      connect.fatal("Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is "
        .. "used for input and offsets are not tracked.")
    end
    for _, item in ipairs(offsets) do
      if item.offset then check_offset(item.partition, item.offset) end
    end
    return true
  end,

  stop = function(ctx)
    if ctx.reader then ctx.reader:close() end
  end,
}
