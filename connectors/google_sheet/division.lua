-- SPDX-License-Identifier: Apache-2.0
-- Which task reads which rows, and where it begins.
--
-- Rows are counted from 0, the first one below the header. They are dealt out in blocks, as cards are: with two tasks
-- and blocks of 100 rows, task 0 has the rows 0-99, 200-299 ..., task 1 the rows 100-199, 300-399 ... So each row is
-- one task's, and new rows at the sheet's end find their task.
--
-- A stored offset is { position, tasks, block, base }: of the rows that are this task's when `tasks` tasks deal in
-- blocks of `block`, all below `position` are done, and of all rows, whosever they are, those below `base`. The latter
-- survives when tasks.max or fetch.size changes and the rows are dealt out anew: reading then begins at the first row
-- that is not known to be done, so that none is lost. What one task had done beyond it comes again.
local connect = require "connect"

local Division = {}
Division.__index = Division

-- The first row from `position` on that is task's.
local function owned(position, task, tasks, block)
  local n = math.floor(position / block)
  local ahead = (task - n) % tasks
  return ahead == 0 and position or (n + ahead) * block
end

-- All rows below it are done, whosever they are, as far as the offsets of one way to deal say.
local function done_by(stored, tasks, block)
  local base, least = 0, math.huge
  for _, offset in pairs(stored) do base = math.max(base, offset.base) end
  for task = 0, tasks - 1 do
    local offset = stored[task]
    least = math.min(least, owned(offset and offset.position or base, task, tasks, block))
  end
  return math.max(base, least)
end

-- Offsets by how the rows were dealt out, then by task. offset_of(task): what is stored, or nil.
local function read_all(self, offset_of)
  local ways, task, tasks = {}, 0, self.tasks
  while task < tasks do
    local offset = offset_of(task)
    if offset then
      -- One that was set by hand says no more than its position.
      local stored = { position = offset.position, base = offset.base or 0, tasks = offset.tasks or self.tasks,
        block = offset.block or self.block }
      local name = stored.tasks .. "x" .. stored.block
      ways[name] = ways[name] or { tasks = stored.tasks, block = stored.block, stored = {} }
      ways[name].stored[task] = stored
      tasks = math.max(tasks, stored.tasks)
    end
    task = task + 1
  end
  return ways
end

--- The position to begin at.
function Division:start(offset_of)
  local ways = read_all(self, offset_of)
  self.base = 0
  for _, way in pairs(ways) do self.base = math.max(self.base, done_by(way.stored, way.tasks, way.block)) end
  local ours = ways[self.tasks .. "x" .. self.block]
  local mine = ours and ours.stored[self.task]
  return math.max(mine and mine.position or 0, self.base)
end

--- The first and last row to ask for next: the rest of a block.
function Division:next(position)
  local first = owned(position, self.task, self.tasks, self.block)
  return first, (math.floor(first / self.block) + 1) * self.block - 1
end

--- What is stored when all of this task's rows below position are done.
function Division:offset(position)
  return { position = position, tasks = self.tasks, block = self.block, base = self.base }
end

local M = {}

function M.new(task, tasks, block) return setmetatable({ task = task, tasks = tasks, block = block }, Division) end

local function is_count(x) return type(x) == "number" and x >= 0 and x % 1 == 0 end

--- Raises what is wrong with an offset that somebody wants to set.
function M.check(partition, offset)
  local task = partition and partition["task.id"]
  if type(task) ~= "string" or not task:find "^%d+$" then
    connect.fatal 'a partition is {"task.id": "0"}, "1" and so on'
  end
  if not is_count(offset.position) then
    connect.fatal "position is the number of rows that are done: a whole number, 0 or more"
  end
  for _, name in ipairs { "base", "tasks", "block" } do
    local x = offset[name]
    if x ~= nil and not (is_count(x) and (name == "base" or x > 0)) then connect.fatal("%s is no such number", name) end
  end
end

return M
