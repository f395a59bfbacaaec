-- SPDX-License-Identifier: Apache-2.0
-- TopicNameMatches: whether a record's topic matches a regular expression.
local regex = require "connect.regex"

return {
  api = 1,
  kind = "predicate",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
  doc = "True for records whose whole topic matches a regular expression.",
  config = {
    { name = "pattern", type = "string", required = true, non_empty = true, regex = true, importance = "medium",
      doc = "Regular expression, as Java has them, that the whole topic must match." },
  },
  configure = function(config) return { regex = regex.new(config.pattern) } end,
  test = function(record, self) return regex.topic_matches(self.regex, record) end,
}
