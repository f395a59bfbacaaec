-- SPDX-License-Identifier: Apache-2.0
-- TimestampRouter: makes the topic of the old one and the record's timestamp.
local date_format = require "connect.date_format"
local edit = require "connect.edit"
local errors = require "connect.errors"

local MOST_TOPICS = 1000

-- The new topic's text around its timestamps. The old topic goes in first: a "${timestamp}" it brings
-- along is one too.
local function pieces_of(self, topic)
  if self.n_topics == MOST_TOPICS then self.pieces, self.n_topics = {}, 0 end
  local pieces, at = {}, 1
  local text = self.topic_format:gsub("%${topic}", (topic:gsub("%%", "%%%%")))
  while true do
    local first, last = text:find("${timestamp}", at, true)
    pieces[#pieces + 1] = text:sub(at, first and first - 1 or -1)
    if not first then break end
    at = last + 1
  end
  self.pieces[topic], self.n_topics = pieces, self.n_topics + 1
  return pieces
end

-- Java makes the format when it is first used: a bad pattern is every record's error.
local function format_of(self)
  self.format = date_format.new(self.pattern)
  return self.format
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.TimestampRouter",
  doc = "Makes a new topic of the old one and the record's timestamp, so that a sink writes to a table or index of its "
    .. "day.",
  config = {
    { name = "topic.format", type = "string", default = "${topic}-${timestamp}", importance = "high",
      doc = "The new topic; ${topic} and ${timestamp} in it stand for the old topic and the time." },
    { name = "timestamp.format", type = "string", default = "yyyyMMdd", importance = "high",
      doc = "SimpleDateFormat pattern of the time, in UTC." },
  },
  configure = function(config)
    return { topic_format = config["topic.format"], pattern = config["timestamp.format"], pieces = {}, n_topics = 0 }
  end,
  apply = function(record, self)
    if record.timestamp == nil then
      errors.throw(edit.DATA, "Timestamp missing on record: %s", edit.record_text(record))
    end
    local topic = record.topic
    date_format.stamp_topic(record, self.format or format_of(self), self.pieces[topic] or pieces_of(self, topic))
    return record
  end,
}
