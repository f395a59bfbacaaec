-- SPDX-License-Identifier: Apache-2.0
local smt = require "spec.helpers.smt"

describe("RegexRouter", function()
  local function route(regex, replacement, topic)
    return smt.apply("regex_router", { regex = regex, replacement = replacement },
      { topic = topic, value = smt.plain "1" }).topic
  end

  it("replaces where the whole topic matches", function()
    assert.equal("bar", route("foo", "bar", "foo"))
    assert.equal("orig", route("foo", "bar", "orig"))
    assert.equal("foo2", route("foo", "bar", "foo2"))
    assert.equal("prefix-orig", route("(.*)", "prefix-$1", "orig"))
    assert.equal("index", route([[(.*)-(\d\d\d\d\d\d\d\d)]], "$1", "index-20160117"))
    assert.equal("b-a", route("(?<x>a)-(?<y>b)", "${y}-${x}", "a-b"))
  end)

  it("searches again for what to replace", function()
    assert.equal("Xb", route("a|ab", "X", "ab"))
    assert.equal("Xabc", route("(.*?)", "X", "abc"))
    assert.equal("$1", route("(.*)", [[\$1]], "abc"))
  end)

  it("fails at the record for what its groups are not", function()
    assert.equal("IndexOutOfBoundsException: No group 2", smt.error(route, "(.*)", "$2", "abc"))
    assert.equal("IllegalArgumentException: Illegal group reference: group index is missing",
      smt.error(route, "(.*)", "$", "abc"))
    assert.equal("orig", route("abc", "$2", "orig"))
  end)
end)
