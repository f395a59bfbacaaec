-- SPDX-License-Identifier: Apache-2.0
-- RegexRouter: makes another topic of the record's.
local regex = require "connect.regex"

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.RegexRouter",
  doc = "Changes the topic of each record whose whole topic matches a regular expression: the first match in it is "
    .. "replaced.",
  config = {
    { name = "regex", type = "string", required = true, regex = true, importance = "high",
      doc = "Regular expression, as Java has them, that the whole topic must match." },
    { name = "replacement", type = "string", required = true, importance = "high",
      doc = "What stands in the place of the match; $1 and ${name} are what its groups matched." },
  },
  configure = function(config)
    return { regex = regex.new(config.regex), replacement = config.replacement }
  end,
  apply = function(record, self)
    if regex.topic_matches(self.regex, record) then regex.replace_topic(self.regex, record, self.replacement) end
    return record
  end,
}
