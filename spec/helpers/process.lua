-- SPDX-License-Identifier: Apache-2.0
--
-- Child processes and waiting, over libc through FFI: what the integration specs need and
-- Lua's io library has not. Not for plugins.
local ffi = require "ffi"

ffi.cdef [[
typedef struct { uint64_t opaque[64]; } cl_spec_spawn_actions;
int posix_spawn_file_actions_init(cl_spec_spawn_actions *actions);
int posix_spawn_file_actions_addopen(cl_spec_spawn_actions *actions, int fd, const char *path, int flags, unsigned mode);
int posix_spawn_file_actions_adddup2(cl_spec_spawn_actions *actions, int fd, int to);
int posix_spawn_file_actions_destroy(cl_spec_spawn_actions *actions);
int posix_spawnp(int *pid, const char *file, const cl_spec_spawn_actions *actions, const void *attr,
                 char *const argv[], char *const envp[]);
extern char **environ;
int waitpid(int pid, int *status, int options);
int kill(int pid, int signal);
int usleep(unsigned us);
int chdir(const char *path);
char *getcwd(char *buf, size_t size);
ssize_t readlink(const char *path, char *buf, size_t size);
char *strerror(int code);
struct cl_spec_timespec { long sec, nsec; };
int clock_gettime(int clock, struct cl_spec_timespec *out);
]]
local C = ffi.C

local O_RDONLY, O_WRONLY, O_CREAT, O_APPEND = 0, 1, 64, 1024
local WNOHANG = 1
local SIGNALS = { HUP = 1, INT = 2, KILL = 9, TERM = 15, CONT = 18, STOP = 19 }

local process = {}
local Process = {}
Process.__index = Process

local alive = {} -- started and not yet seen to end

--- Monotonic seconds.
function process.now()
  local t = ffi.new("struct cl_spec_timespec")
  C.clock_gettime(1, t)
  return tonumber(t.sec) + tonumber(t.nsec) / 1e9
end

function process.sleep(seconds)
  C.usleep(math.floor(seconds * 1e6))
end

--- The running executable, followed through links.
function process.self()
  local buf = ffi.new("char[4096]")
  local n = C.readlink("/proc/self/exe", buf, 4096)
  return ffi.string(buf, n)
end

function process.cwd()
  local buf = ffi.new("char[4096]")
  return ffi.string(C.getcwd(buf, 4096))
end

--- Starts argv (a list). output: the file its stdout and stderr are appended to;
-- errors: one of its own for stderr; cwd: where it runs.
function process.start(argv, options)
  local here = process.cwd()
  local actions = ffi.new("cl_spec_spawn_actions[1]")
  C.posix_spawn_file_actions_init(actions)
  C.posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0)
  local append = O_WRONLY + O_CREAT + O_APPEND
  C.posix_spawn_file_actions_addopen(actions, 1, options.output, append, 420)
  if options.errors then
    C.posix_spawn_file_actions_addopen(actions, 2, options.errors, append, 420)
  else
    C.posix_spawn_file_actions_adddup2(actions, 1, 2)
  end
  local args = ffi.new("const char *[?]", #argv + 1)
  for i, arg in ipairs(argv) do args[i - 1] = arg end
  local pid = ffi.new("int[1]")
  -- posix_spawn has no portable "run there", and the specs are one thread.
  if options.cwd then assert(C.chdir(options.cwd) == 0, "no folder " .. options.cwd) end
  local rc = C.posix_spawnp(pid, argv[1], actions, nil, ffi.cast("char *const *", args), C.environ)
  if options.cwd then C.chdir(here) end
  C.posix_spawn_file_actions_destroy(actions)
  if rc ~= 0 then error("cannot start " .. argv[1] .. ": " .. ffi.string(C.strerror(rc)), 2) end
  local self = setmetatable({ pid = pid[0], argv = argv }, Process)
  alive[self] = true
  return self
end

--- Nil while it runs; then its exit code, or nil and the signal's number.
function Process:ended()
  if self.done then return true, self.code, self.signal end
  local status = ffi.new("int[1]")
  if C.waitpid(self.pid, status, WNOHANG) ~= self.pid then return false end
  local low = status[0] % 128
  self.done = true
  if low == 0 then self.code = math.floor(status[0] / 256) % 256 else self.signal = low end
  alive[self] = nil
  return true, self.code, self.signal
end

function Process:kill(name)
  local number = assert(SIGNALS[name], "unknown signal")
  if not self:ended() then C.kill(self.pid, number) end
end

--- Waits for the end; answers code, signal. After `seconds` an error.
function Process:wait(seconds)
  local deadline = process.now() + seconds
  while not self:ended() do
    if process.now() > deadline then
      error(("%s (pid %d) still runs after %d s"):format(self.argv[1], self.pid, seconds), 2)
    end
    process.sleep(0.01)
  end
  return self.code, self.signal
end

--- Kills whatever a failed spec left running.
function process.reap()
  local left = {}
  for p in pairs(alive) do left[#left + 1] = p end
  for _, p in ipairs(left) do
    p:kill("KILL")
    p:wait(60)
  end
end

return process
