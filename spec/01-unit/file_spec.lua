-- SPDX-License-Identifier: Apache-2.0
-- connect.file: the line reader and the writer.
local ffi = require "ffi"

local connect = require "connect"
local task = require "spec.helpers.task"

ffi.cdef [[
int truncate(const char *path, int64_t length);
int mkfifo(const char *path, unsigned mode);
]]

local function write(path, text, mode)
  local file = assert(io.open(path, mode or "wb"))
  file:write(text)
  file:close()
end

local function append(path, text) write(path, text, "ab") end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

describe("connect.file", function()
  local path, reader, writer

  before_each(function()
    path = os.tmpname()
  end)

  after_each(function()
    if reader then reader:close() end
    if writer then writer:close() end
    reader, writer = nil, nil
    os.remove(path)
  end)

  describe("reader:line", function()
    local function lines()
      local out = {}
      for line in function() return reader:line() end do out[#out + 1] = { line, reader:position() } end
      return out
    end

    local function open(text, position)
      write(path, text)
      reader = connect.file.reader { path = path, position = position }
      return lines()
    end

    it("ends lines at \\n, \\r and \\r\\n, and counts bytes", function()
      assert.same({ { "line1", 6 }, { "line2", 13 }, { "line3", 19 }, { "line4", 25 } },
        open "line1\rline2\r\nline3\nline4\n\r")
      append(path, "\nlast")
      assert.same({ { "", 27 } }, lines()) -- the \r was held back: it was the first half of \r\n
      append(path, "\r")
      assert.same({}, lines())
      append(path, "x")
      assert.same({ { "last", 32 } }, lines())
    end)

    it("keeps an unfinished line until it ends", function()
      assert.same({}, open "partial line")
      assert.equal(0, reader:position())
      append(path, " finished\n")
      assert.same({ { "partial line finished", 22 } }, lines())
    end)

    it("starts at a position", function()
      assert.same({ { "b", 4 } }, open("a\nb\n", 2))
    end)

    it("counts bytes, not characters", function()
      assert.same({ { "é", 3 }, { "x", 5 } }, open "é\nx\n")
    end)

    it("repairs malformed UTF-8 and keeps true positions", function()
      assert.same({ { "a\239\191\189b", 4 }, { "c", 6 } }, open "a\255b\nc\n")
    end)

    it("reads long lines", function()
      local long = ("x"):rep(3000000)
      assert.same({ { long, 3000001 }, { "y", 3000003 } }, open(long .. "\ny\n"))
    end)

    it("reads lines of any length around the buffer's size", function()
      local parts, expected, at = {}, {}, 0
      for i = 1, 400 do
        local line = ("%d"):format(i):rep(i * 7 % 5003)
        local stop = ({ "\n", "\r\n", "\r" })[i % 3 + 1]
        parts[i] = line .. stop
        at = at + #parts[i]
        expected[i] = { line, at }
      end
      assert.same(expected, open(table.concat(parts) .. "x"))
    end)

    it("waits for a file that is not there", function()
      os.remove(path)
      reader = connect.file.reader { path = path }
      assert.same({ nil, "missing" }, { reader:line() })
      write(path, "a\n")
      assert.equal("a", reader:line())
    end)

    it("reads a file shorter than its position from the start", function()
      assert.same({ { "a", 2 } }, open("a\n", 100))
    end)

    it("notices that the file was truncated while it is read", function()
      assert.same({ { "aaaa", 5 } }, open "aaaa\nrest")
      assert.equal(0, ffi.C.truncate(path, 0))
      append(path, "b\n")
      reader:line()
      assert.same({ { "b", 2 } }, lines())
    end)

    it("refuses a folder", function()
      reader = connect.file.reader { path = "/tmp" }
      assert.error_matches(function() reader:line() end, "/tmp: is a folder")
    end)

    it("does not wait for a pipe's writer", function()
      os.remove(path)
      assert.equal(0, ffi.C.mkfifo(path, 384))
      reader = connect.file.reader { path = path }
      assert.is_nil(reader:line())
      local w = assert(io.open(path, "wb"))
      w:write "from a pipe\n"
      w:flush()
      assert.equal("from a pipe", reader:line())
      assert.is_nil(reader:line())
      w:close()
    end)

    it("refuses a line beyond 64 MiB, naming its byte", function()
      write(path, "a\n")
      assert.equal(0, ffi.C.truncate(path, 70 * 1024 * 1024))
      reader = connect.file.reader { path = path }
      assert.equal("a", reader:line())
      assert.error_matches(function() reader:line() end, "the line at byte 2 is longer than 67108864 bytes")
    end)

    it("fails once closed", function()
      open ""
      reader:close()
      reader:close()
      assert.error_matches(function() reader:line() end, "the reader is closed")
    end)

    it("has no pointer to give away", function()
      open ""
      assert.error(function() return reader[0] end)
      assert.error(function() reader.line = 1 end)
      assert.error(function() reader.line(nil) end)
    end)
  end)

  describe("reader:fill", function()
    local t

    local function source(options, cap)
      local filled = {}
      t = task.new { cap = cap, plugin = { kind = "source",
        poll = function(ctx)
          reader = reader or connect.file.reader { path = options.path, position = options.position }
          filled[1], filled[2] = reader:fill { topic = "t", partition = ctx:partition { f = 1 }, max = options.max }
        end } }
      return filled
    end

    after_each(function()
      t:close()
      t = nil
    end)

    it("makes string records with positions", function()
      write(path, "a\nb\255\r\nc")
      local filled = source { path = path }
      local out = t:poll()
      assert.equal(2, filled[1])
      assert.same({ "t", "a", nil, { position = 2 }, [[{"f":1}]], -1 },
        { out[1].topic, out[1].value, out[1].key, out[1].source_offset, out[1].source_partition, out[1].partition })
      assert.same({ "b\239\191\189", { position = 6 } }, { out[2].value, out[2].source_offset })
      assert.is_true(math.abs(out[1].timestamp - os.time() * 1000) < 60000)
      assert.same({}, t:poll())
      assert.equal(0, filled[1])
    end)

    it("refuses a partition that is no id of ctx:partition", function()
      write(path, "a\n")
      t = task.new { plugin = { kind = "source", poll = function()
        connect.file.reader({ path = path }):fill { topic = "t", partition = 42 }
      end } }
      assert.error_matches(function() t:poll() end, "partition 42 is no id of ctx:partition")
    end)

    it("takes at most max lines, the rest next time", function()
      write(path, "a\nb\nc\nd\ne\n")
      source { path = path, max = 2 }
      assert.equal(2, #t:poll())
      assert.equal(2, #t:poll())
      assert.equal("e", t:poll()[1].value)
    end)

    it("takes at least one line, whatever max says", function()
      write(path, "a\nb\n")
      source { path = path, max = -5 }
      assert.equal("a", t:poll()[1].value)
    end)

    it("takes what fits into the batch", function()
      write(path, ("x\n"):rep(10))
      source({ path = path }, 7)
      assert.equal(7, #t:poll())
      assert.equal(3, #t:poll())
    end)

    it("says that the file is missing", function()
      os.remove(path)
      local filled = source { path = path }
      t:poll()
      assert.same({ nil, "missing" }, { filled[1], filled[2] })
    end)
  end)

  describe("writer", function()
    local function open() writer = assert(connect.file.writer { path = path }) end

    it("appends lines", function()
      write(path, "before\n")
      open()
      writer:line "a"
      writer:line ""
      writer:line(12)
      assert.equal("before\n", read(path)) -- buffered
      writer:flush()
      assert.equal("before\na\n\n12\n", read(path))
      writer:line "b"
      writer:sync()
      assert.equal("before\na\n\n12\nb\n", read(path))
    end)

    it("ends a torn line first", function()
      write(path, "whole\ntor")
      open()
      assert.equal("whole\ntor\n", read(path))
      writer:close()
      open()
      assert.equal("whole\ntor\n", read(path))
    end)

    it("writes lines longer than its buffer", function()
      open()
      local long = ("y"):rep(1000000)
      writer:line "a"
      writer:line(long)
      writer:line "b"
      writer:close()
      assert.equal("a\n" .. long .. "\nb\n", read(path))
    end)

    it("writes out when its buffer is full, and at close", function()
      open()
      local line = ("z"):rep(1000)
      for _ = 1, 300 do writer:line(line) end
      local text = read(path)
      assert.is_true(#text > 100000)
      assert.equal(0, #text % 1001) -- whole lines only
      writer:close()
      assert.equal((line .. "\n"):rep(300), read(path))
      assert.error_matches(function() writer:line "x" end, "the writer is closed")
    end)

    it("answers why a file cannot be opened", function()
      local w, why = connect.file.writer { path = "/no/such/folder/file" }
      assert.is_nil(w)
      assert.equal("/no/such/folder/file: No such file or directory", why)
    end)

    it("reports failed writes, and goes on failing", function()
      writer = assert(connect.file.writer { path = "/dev/full" })
      writer:line "lost"
      assert.error_matches(function() writer:flush() end, "writing /dev/full: No space left on device")
      assert.error_matches(function() writer:line "x" end, "writing /dev/full failed before")
      assert.error_matches(function() writer:sync() end, "failed before")
    end)
  end)
end)
