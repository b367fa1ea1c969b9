// An emulator of what Penstock calls in libcuda.so.1, NVRTC and cuBLASLt: one library with the functions of all three. It is
// no GPU: it shows that memory, streams, events, graphs and kernels are used as their contracts say, and that the kernels'
// arithmetic is right as C++; nothing about speed, NVIDIA's compilers or hardware.
//
// Streams are queues whose work is done late: each call from the host does some of it, of a stream picked at random by a seed, so
// that anything not ordered by an event, a graph or a wait happens in many orders. Device memory is host memory with guards
// around it, filled with NaN when allocated. Everything is counted.
//
// Or the streams run beside each other in a time of the emulator's own (emuTimed): a copy and a kernel take ticks, so does a call
// of the host, and what ran when is kept as a trace. Ticks say what can overlap and in which order, not how fast anything is.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <ucontext.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "shim.h"

// ---- Fibers ----------------------------------------------------------------------------------------------------------------

// All kernels run under one lock, on whichever thread asks for them: nothing here is thread-local.
Dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

// Where a stack goes on, of __builtin_setjmp: a fiber that is left keeps its registers on its own stack. Tests of kernels do
// little else than change fibers, and the C library's setjmp takes several times as long.
typedef void* Place[5];

struct Fiber {
  ucontext_t context;
  Place at;
  // Not a power of two: the tops of all stacks would fall into one cache set.
  std::vector<char> stack = std::vector<char>((16 << 10) + 320);
  bool started = false;  // its stack runs a loop that takes one thread after the other
  unsigned thread = 0;
};

struct Block {
  unsigned threads;
  bool backwards;
  unsigned next;                // of the threads that have not begun
  unsigned ended;               // since the last barrier
  std::vector<Fiber*> waiting;  // at a barrier, in the order in which they go on
  size_t turn;                  // of those, in the pass from one barrier to the next
};

std::vector<std::unique_ptr<Fiber>> fibers;
Fiber* running = nullptr;
Place scheduler;
std::function<void()>* body = nullptr;
Block block;

void fiberMain();

// Leaves the stack for another one, until somebody comes back to `from`; null is the scheduler's.
__attribute__((noinline)) void change(void** from, Fiber* to) {
  if (__builtin_setjmp(from) == 0) {
    if (to == nullptr) {
      __builtin_longjmp(scheduler, 1);
    }
    running = to;
    if (to->started) {
      __builtin_longjmp(to->at, 1);
    }
    to->started = true;
    getcontext(&to->context);
    to->context.uc_stack.ss_sp = to->stack.data();
    to->context.uc_stack.ss_size = to->stack.size();
    to->context.uc_link = nullptr;
    makecontext(&to->context, fiberMain, 0);
    setcontext(&to->context);
  }
  // Others ran meanwhile: nothing is as the compiler remembers it.
  asm volatile("" ::: "memory");
}

// The fiber whose turn it is to go on; null where all have had theirs.
Fiber* nextInTurn() {
  return ++block.turn < block.waiting.size() ? block.waiting[block.turn] : nullptr;
}

// A thread that meets no barrier leaves its fiber to the next one.
void fiberMain() {
  for (;;) {
    while (block.next < block.threads) {
      running->thread = block.backwards ? block.threads - 1 - block.next : block.next;
      block.next++;
      threadIdx = {running->thread, 0, 0};
      (*body)();
      block.ended++;
    }
    change(running->at, nextInTurn());
  }
}

// Runs one block; false where some threads ended while others waited at a barrier.
bool runBlock(unsigned threads, bool backwards) {
  block.threads = threads;
  block.backwards = backwards;
  block.next = 0;
  block.waiting.clear();
  do {
    block.ended = 0;
    block.turn = 0;
    bool fresh = block.next == 0;
    if (fresh) {
      if (fibers.empty()) {
        fibers.push_back(std::make_unique<Fiber>());
      }
      // No turn is taken before all have begun.
      block.turn = (size_t)threads;
    }
    change(scheduler, fresh ? fibers[0].get() : block.waiting[0]);
    running = nullptr;
  } while (block.ended == 0);
  return block.ended == threads;
}

}  // namespace

void __syncthreads() {
  Fiber* self = running;
  if (block.turn >= block.threads) {
    // The first barrier: those that have not begun come first.
    block.waiting.push_back(self);
    size_t used = block.waiting.size();
    if (block.next < block.threads) {
      if (fibers.size() <= used) {
        fibers.push_back(std::make_unique<Fiber>());
      }
      change(self->at, fibers[used].get());
    } else {
      change(self->at, nullptr);
    }
  } else {
    change(self->at, nextInTurn());
  }
  threadIdx = {self->thread, 0, 0};
}

// ---- Kernels: each .cu file, and a table of them, written by the build -------------------------------------------------------

struct KernelEntry {
  const char* file;
  const char* name;
  void (*call)(void** arguments);
};

template <auto F>
struct Caller;
template <class... A, void (*F)(A...)>
struct Caller<F> {
  template <size_t... I>
  static void spread(void** arguments, std::index_sequence<I...>) {
    F(*(A*)arguments[I]...);
  }
  static void call(void** arguments) { spread(arguments, std::index_sequence_for<A...>{}); }
  static std::vector<size_t> sizes() { return {sizeof(A)...}; }
};

struct Signature {
  KernelEntry entry;
  std::vector<size_t> sizes;
};

#define KERNEL(file, name) {{file, #name, Caller<&name>::call}, Caller<&name>::sizes()}
#include "kernels.inc"

// ---- Device ----------------------------------------------------------------------------------------------------------------

namespace {

enum {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  INVALID_DEVICE = 101,
  INVALID_CONTEXT = 201,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
  CAPTURE_UNSUPPORTED = 900
};

const size_t GUARD = 256;
const unsigned char GUARD_BYTE = 0xA5;

struct Instance {
  bool done = false;
  double micros = 0;   // when, by the host's clock
  long long tick = 0;  // when, in the emulator's time
};

struct Work {
  std::function<int()> run;           // null: waits for `instance`
  std::shared_ptr<Instance> instance;  // to wait for, or that happens
  long long ticks = 0;                 // that it takes
  int span = -1;                       // of the trace that it belongs to
  long long put = 0;                   // tick at which the host asked for it
};

struct Stream {
  std::deque<Work> queue;
  std::vector<Work>* capture = nullptr;
  long long clock = 0;  // tick up to which it is busy
};

struct Event {
  std::shared_ptr<Instance> instance;
  unsigned flags = 0;
};

// A copy to the device, or a graph, in the order of the host's calls.
struct Span {
  long long kind, begin, end;
};

struct Graph {
  std::vector<Work> work;
};

struct Module {
  std::string file;
};

struct Memory {
  size_t bytes;
  bool pinned;
};

std::recursive_mutex mutex;
std::map<uintptr_t, Memory> memories;
std::set<Stream*> streams;
std::map<const Signature*, unsigned> allowedShared;
void* sharedMemory;
long long tally[16];
int retained;
int fault;
uint64_t seed = 1;
int late;
bool timed;
long long now;
int copyTicks, kernelTicks, mostDelay;
std::vector<Span> trace;
bool backwards;
int capability = 90;
int driver = 13000;
int sharedLimit = 227 << 10;
long long memoryLimit = 8LL << 30;
long long used;
std::string failCall;
int failCode;
thread_local bool current;

// What emuCount counts.
enum Count {
  DEVICE_LIVE,
  PINNED_LIVE,
  STREAM_LIVE,
  EVENT_LIVE,
  GRAPH_LIVE,
  MODULE_LIVE,
  CUBLAS_LIVE,
  ALLOCATIONS,
  CORRUPTED,
  LAUNCHES,
  MISUSES,
  REORDERED,
  CONTEXTS,
  LIVE_BYTES
};

unsigned long pick() {
  seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
  return seed >> 33;
}

int misuse(const char* what) {
  fprintf(stderr, "emulated CUDA: %s\n", what);
  tally[MISUSES]++;
  return INVALID_VALUE;
}

double hostMicros() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

bool runnable(Stream* s) {
  return !s->queue.empty() && (s->queue.front().run || s->queue.front().instance->done);
}

void runOne(Stream* s) {
  Work work = std::move(s->queue.front());
  s->queue.pop_front();
  if (work.run) {
    int code = work.run();
    if (code != SUCCESS && fault == SUCCESS) {
      fault = code;
    }
  }
}

// When the first thing in a stream's queue, which must be runnable, begins.
long long beginOf(Stream* s) {
  Work& work = s->queue.front();
  long long earliest = std::max(s->clock, work.put);
  return work.run ? earliest : std::max(earliest, work.instance->tick);
}

// Runs what begins first of all that begins up to a tick; false where nothing does.
bool advanceTo(long long tick) {
  Stream* first = nullptr;
  for (Stream* s : streams) {
    if (runnable(s) && beginOf(s) <= tick && (first == nullptr || beginOf(s) < beginOf(first))) {
      first = s;
    }
  }
  if (first == nullptr) {
    return false;
  }
  long long from = beginOf(first);
  Work work = first->queue.front();
  // An event is late by as much as chance says.
  bool isEvent = work.run && work.instance;
  first->clock = from + work.ticks + (isEvent && mostDelay > 0 ? pick() % mostDelay : 0);
  if (isEvent) {
    work.instance->tick = first->clock;
  }
  if (work.span >= 0) {
    Span& span = trace[work.span];
    span.begin = span.begin < 0 ? from : std::min(span.begin, from);
    span.end = std::max(span.end, first->clock);
  }
  runOne(first);
  return true;
}

// Does some of what can be done, of any stream; false where nothing can.
bool advance() {
  std::vector<Stream*> ready;
  for (Stream* s : streams) {
    if (runnable(s)) {
      ready.push_back(s);
    }
  }
  if (ready.empty()) {
    return false;
  }
  if (ready.size() > 1) {
    tally[REORDERED]++;
  }
  runOne(ready[pick() % ready.size()]);
  return true;
}

int put(Stream* s, Work work) {
  if (fault != SUCCESS) {
    return fault;
  }
  if (s->capture != nullptr) {
    s->capture->push_back(std::move(work));
    return SUCCESS;
  }
  work.put = now;
  s->queue.push_back(std::move(work));
  if (!late && !timed) {
    while (advance()) {
    }
  }
  return fault;
}

// Each call may begin by doing some work, and fails where a test wants it to.
int begin(const char* call) {
  if (failCall == call) {
    failCall.clear();
    if (failCode == ILLEGAL_ADDRESS) {
      fault = failCode;
    }
    return failCode;
  }
  if (fault != SUCCESS) {
    return fault;
  }
  if (!current) {
    return INVALID_CONTEXT;
  }
  if (timed) {
    now++;
    while (advanceTo(now)) {
    }
  } else if (late && pick() % 4 == 0) {
    advance();
  }
  return SUCCESS;
}

// Whether the range lies within one allocation.
bool inside(uintptr_t address, size_t bytes, bool pinned) {
  auto after = memories.upper_bound(address);
  if (after == memories.begin()) {
    return false;
  }
  --after;
  return after->second.pinned == pinned && address + bytes <= after->first + after->second.bytes;
}

int allocate(void** to, size_t bytes, bool pinned) {
  if (bytes == 0) {
    return INVALID_VALUE;
  }
  if (!pinned && used + (long long)bytes > memoryLimit) {
    return OUT_OF_MEMORY;
  }
  // 256-aligned, as the driver's.
  size_t whole = (bytes + 2 * GUARD + 255) / 256 * 256;
  char* base = (char*)aligned_alloc(256, whole);
  if (base == nullptr) {
    return OUT_OF_MEMORY;
  }
  memset(base, GUARD_BYTE, GUARD);
  size_t poisoned = bytes < (256 << 10) ? bytes : 256 << 10;
  memset(base + GUARD, 0xFF, poisoned);
  memset(base + GUARD + bytes, GUARD_BYTE, whole - GUARD - bytes);
  *to = base + GUARD;
  memories[(uintptr_t)*to] = {bytes, pinned};
  tally[pinned ? PINNED_LIVE : DEVICE_LIVE]++;
  tally[ALLOCATIONS]++;
  if (!pinned) {
    used += bytes;
  }
  tally[LIVE_BYTES] += bytes;
  return SUCCESS;
}

int release(uintptr_t address, bool pinned) {
  auto found = memories.find(address);
  if (found == memories.end() || found->second.pinned != pinned) {
    return misuse("what is freed was not allocated");
  }
  for (Stream* s : streams) {
    if (!s->queue.empty()) {
      return misuse("memory is freed while work is queued");
    }
  }
  const unsigned char* base = (const unsigned char*)address;
  for (size_t i = 1; i <= GUARD; i++) {
    if (base[-(ptrdiff_t)i] != GUARD_BYTE) {
      tally[CORRUPTED]++;
      break;
    }
  }
  for (size_t i = 0; i < GUARD; i++) {
    if (base[found->second.bytes + i] != GUARD_BYTE) {
      tally[CORRUPTED]++;
      break;
    }
  }
  if (!pinned) {
    used -= found->second.bytes;
  }
  tally[LIVE_BYTES] -= found->second.bytes;
  tally[pinned ? PINNED_LIVE : DEVICE_LIVE]--;
  memories.erase(found);
  free((void*)(address - GUARD));
  return SUCCESS;
}

}  // namespace

void* dynamicShared() { return sharedMemory; }

// ---- What tests ask --------------------------------------------------------------------------------------------------------

#define API extern "C" __attribute__((visibility("default")))
#define LOCK std::lock_guard<std::recursive_mutex> lock(mutex)

// `isLate`: work is put off; else it is done at once.
API void emuReset(long long newSeed, int isLate) {
  LOCK;
  seed = (uint64_t)newSeed * 2 + 1;
  late = isLate;
  timed = false;
  trace.clear();
  backwards = newSeed % 2 != 0;
  fault = SUCCESS;
  failCall.clear();
  capability = 90;
  driver = 13000;
  memoryLimit = 8LL << 30;
  sharedLimit = 227 << 10;
  for (int i = ALLOCATIONS; i < CONTEXTS; i++) {
    tally[i] = 0;
  }
}

// Streams run beside each other from now on, in ticks: what a copy and a kernel take, and up to how much later events happen.
API void emuTimed(int ticksOfCopy, int ticksOfKernel, int delay) {
  LOCK;
  timed = true;
  now = 0;
  copyTicks = ticksOfCopy;
  kernelTicks = ticksOfKernel;
  mostDelay = delay;
  for (Stream* s : streams) {
    s->clock = 0;
  }
}

// Forgets the trace, so that it begins here.
API void emuTraceFromHere() {
  LOCK;
  trace.clear();
}

API long long emuTraced() {
  LOCK;
  return trace.size();
}

// Of a span: 0 its kind (0 a copy to the device, 1 a graph), 1 and 2 the ticks of its begin and its end.
API long long emuTrace(long long index, int what) {
  LOCK;
  const Span& span = trace[index];
  return what == 0 ? span.kind : what == 1 ? span.begin : span.end;
}

API long long emuCount(int what) {
  LOCK;
  return tally[what];
}

API void emuFail(const char* call, int code) {
  LOCK;
  failCall = call;
  failCode = code;
}

API void emuMachine(int newCapability, int newDriver, long long newMemory) {
  LOCK;
  capability = newCapability;
  driver = newDriver;
  memoryLimit = newMemory;
}

API void emuShared(int bytes) {
  LOCK;
  sharedLimit = bytes;
}

// ---- libcuda ---------------------------------------------------------------------------------------------------------------

#define BEGIN(call)           \
  LOCK;                       \
  int code = begin(call);     \
  if (code != SUCCESS) {      \
    return code;              \
  }

API int cuInit(unsigned) {
  LOCK;
  if (failCall == "cuInit") {
    failCall.clear();
    return failCode;
  }
  return SUCCESS;
}
API int cuDriverGetVersion(int* v) { *v = driver; return SUCCESS; }
API int cuDeviceGetCount(int* n) { *n = 1; return SUCCESS; }
API int cuDeviceGet(int* device, int ordinal) { *device = ordinal; return ordinal == 0 ? SUCCESS : INVALID_DEVICE; }
API int cuDeviceGetName(char* name, int length, int) { snprintf(name, length, "Emulated GPU"); return SUCCESS; }
API int cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = attribute == 75 ? capability / 10 : attribute == 76 ? capability % 10 : attribute == 97 ? sharedLimit : 0;
  return SUCCESS;
}
API int cuDeviceTotalMem_v2(size_t* bytes, int) { *bytes = memoryLimit; return SUCCESS; }
API int cuDevicePrimaryCtxRetain(void** context, int) {
  LOCK;
  retained++;
  tally[CONTEXTS]++;
  *context = &retained;
  return SUCCESS;
}
API int cuDevicePrimaryCtxRelease_v2(int) {
  LOCK;
  if (--retained < 0) {
    return misuse("a context is released too often");
  }
  tally[CONTEXTS]--;
  if (retained == 0 && fault != SUCCESS) {
    // Everything goes with the context.
    std::vector<uintptr_t> all;
    for (auto& memory : memories) {
      all.push_back(memory.first);
    }
    for (uintptr_t address : all) {
      free((void*)(address - GUARD));
    }
    memories.clear();
    for (Stream* s : streams) {
      delete s;
    }
    streams.clear();
    for (int i = DEVICE_LIVE; i <= CUBLAS_LIVE; i++) {
      tally[i] = 0;
    }
    used = 0;
    tally[LIVE_BYTES] = 0;
    fault = SUCCESS;
  }
  return SUCCESS;
}
API int cuCtxSetCurrent(void* context) { current = context != nullptr; return SUCCESS; }
API int cuMemGetInfo_v2(size_t* freeBytes, size_t* total) {
  BEGIN("cuMemGetInfo");
  *freeBytes = memoryLimit - used;
  *total = memoryLimit;
  return SUCCESS;
}
API int cuMemAlloc_v2(uintptr_t* to, size_t bytes) { BEGIN("cuMemAlloc"); return allocate((void**)to, bytes, false); }
API int cuMemFree_v2(uintptr_t address) { BEGIN("cuMemFree"); return release(address, false); }
API int cuMemHostAlloc(void** to, size_t bytes, unsigned) { BEGIN("cuMemHostAlloc"); return allocate(to, bytes, true); }
API int cuMemFreeHost(void* address) { BEGIN("cuMemFreeHost"); return release((uintptr_t)address, true); }

static int copy(uintptr_t device, uintptr_t host, size_t bytes, Stream* s, bool toDevice) {
  if (!inside(device, bytes, false) || !inside(host, bytes, true)) {
    return misuse("a copy is not between device memory and pinned memory");
  }
  Work work{[=] {
    memcpy((void*)(toDevice ? device : host), (void*)(toDevice ? host : device), bytes);
    return SUCCESS;
  }, nullptr, copyTicks};
  if (timed && toDevice && s->capture == nullptr) {
    work.span = trace.size();
    trace.push_back({0, -1, -1});
  }
  return put(s, work);
}
API int cuMemcpyHtoDAsync_v2(uintptr_t to, const void* from, size_t bytes, Stream* s) {
  BEGIN("cuMemcpyHtoDAsync");
  return copy(to, (uintptr_t)from, bytes, s, true);
}
API int cuMemcpyDtoHAsync_v2(void* to, uintptr_t from, size_t bytes, Stream* s) {
  BEGIN("cuMemcpyDtoHAsync");
  return copy(from, (uintptr_t)to, bytes, s, false);
}
API int cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, Stream* s) {
  BEGIN("cuMemcpyDtoDAsync");
  if (!inside(to, bytes, false) || !inside(from, bytes, false)) {
    return misuse("a copy is not within device memory");
  }
  return put(s, {[=] { memcpy((void*)to, (void*)from, bytes); return SUCCESS; }, nullptr});
}
API int cuMemsetD8Async(uintptr_t to, unsigned char value, size_t bytes, Stream* s) {
  BEGIN("cuMemsetD8Async");
  if (!inside(to, bytes, false)) {
    return misuse("memory is filled that was not allocated");
  }
  return put(s, {[=] { memset((void*)to, value, bytes); return SUCCESS; }, nullptr});
}
API int cuStreamCreate(Stream** s, unsigned flags) {
  BEGIN("cuStreamCreate");
  if (flags != 1) {
    return misuse("a stream waits for the default stream");
  }
  *s = new Stream();
  streams.insert(*s);
  tally[STREAM_LIVE]++;
  return SUCCESS;
}
API int cuStreamDestroy_v2(Stream* s) {
  BEGIN("cuStreamDestroy");
  if (streams.erase(s) == 0) {
    return INVALID_HANDLE;
  }
  delete s;
  tally[STREAM_LIVE]--;
  return SUCCESS;
}
API int cuStreamSynchronize(Stream* s) {
  BEGIN("cuStreamSynchronize");
  if (s->capture != nullptr) {
    return CAPTURE_UNSUPPORTED;
  }
  while (!s->queue.empty()) {
    if (!(timed ? advanceTo(INT64_MAX) : advance())) {
      return misuse("a stream waits for ever");
    }
  }
  now = std::max(now, s->clock);
  return fault;
}
API int cuStreamWaitEvent(Stream* s, Event* event, unsigned) {
  BEGIN("cuStreamWaitEvent");
  if (!event->instance) {
    return misuse("a stream waits for an event that was never recorded");
  }
  return put(s, {nullptr, event->instance});
}
API int cuStreamBeginCapture_v2(Stream* s, int) {
  BEGIN("cuStreamBeginCapture");
  if (s->capture != nullptr) {
    return misuse("a stream is captured twice");
  }
  s->capture = new std::vector<Work>();
  return SUCCESS;
}
API int cuStreamEndCapture(Stream* s, Graph** graph) {
  BEGIN("cuStreamEndCapture");
  if (s->capture == nullptr) {
    return misuse("a capture ends that never began");
  }
  *graph = new Graph{std::move(*s->capture)};
  delete s->capture;
  s->capture = nullptr;
  tally[GRAPH_LIVE]++;
  return SUCCESS;
}
API int cuEventCreate(Event** event, unsigned flags) {
  BEGIN("cuEventCreate");
  *event = new Event();
  (*event)->flags = flags;
  tally[EVENT_LIVE]++;
  return SUCCESS;
}
API int cuEventDestroy_v2(Event* event) {
  BEGIN("cuEventDestroy");
  delete event;
  tally[EVENT_LIVE]--;
  return SUCCESS;
}
API int cuEventRecord(Event* event, Stream* s) {
  BEGIN("cuEventRecord");
  auto instance = std::make_shared<Instance>();
  event->instance = instance;
  return put(s, {[instance] { instance->done = true; instance->micros = hostMicros(); return SUCCESS; }, instance});
}
API int cuEventElapsedTime(float* milliseconds, Event* from, Event* to) {
  BEGIN("cuEventElapsedTime");
  if (from->flags != 0 || to->flags != 0 || !from->instance || !to->instance) {
    return misuse("an event without a time is asked for it");
  }
  if (!from->instance->done || !to->instance->done) {
    return NOT_READY;
  }
  *milliseconds = (float)((to->instance->micros - from->instance->micros) / 1e3);
  return SUCCESS;
}
API int cuEventQuery(Event* event) {
  BEGIN("cuEventQuery");
  if (!event->instance || (event->instance->done && (!timed || event->instance->tick <= now))) {
    return SUCCESS;
  }
  if (timed) {
    return NOT_READY;
  }
  bool could = advance();
  if (fault != SUCCESS) {
    return fault;
  }
  if (!could) {
    return misuse("an event is asked for that can never happen");
  }
  return NOT_READY;
}
API int cuGraphInstantiateWithFlags(Graph** executable, Graph* graph, unsigned long long) {
  BEGIN("cuGraphInstantiate");
  *executable = new Graph(*graph);
  tally[GRAPH_LIVE]++;
  return SUCCESS;
}
API int cuGraphExecDestroy(Graph* graph) {
  BEGIN("cuGraphExecDestroy");
  delete graph;
  tally[GRAPH_LIVE]--;
  return SUCCESS;
}
API int cuGraphDestroy(Graph* graph) {
  BEGIN("cuGraphDestroy");
  delete graph;
  tally[GRAPH_LIVE]--;
  return SUCCESS;
}
API int cuGraphLaunch(Graph* graph, Stream* s) {
  BEGIN("cuGraphLaunch");
  int span = trace.size();
  if (timed) {
    trace.push_back({1, -1, -1});
  }
  for (Work work : graph->work) {
    work.span = timed ? span : -1;
    work.ticks = kernelTicks;
    int code2 = put(s, work);
    if (code2 != SUCCESS) {
      return code2;
    }
  }
  return SUCCESS;
}
API int cuModuleLoadData(Module** module, const char* image) {
  BEGIN("cuModuleLoadData");
  if (strncmp(image, "EMULATED ", 9) != 0) {
    return 200;
  }
  *module = new Module{image + 9};
  tally[MODULE_LIVE]++;
  return SUCCESS;
}
API int cuModuleUnload(Module* module) {
  BEGIN("cuModuleUnload");
  // A module's functions are new each time it is loaded.
  allowedShared.clear();
  delete module;
  tally[MODULE_LIVE]--;
  return SUCCESS;
}
API int cuModuleGetFunction(const Signature** function, Module* module, const char* name) {
  BEGIN("cuModuleGetFunction");
  for (const Signature& kernel : KERNELS) {
    if (module->file == kernel.entry.file && strcmp(kernel.entry.name, name) == 0) {
      *function = &kernel;
      return SUCCESS;
    }
  }
  return NOT_FOUND;
}
API int cuFuncSetAttribute(const Signature* kernel, int attribute, int value) {
  BEGIN("cuFuncSetAttribute");
  if (attribute != 8 || value < 0 || value > sharedLimit) {
    return INVALID_VALUE;
  }
  allowedShared[kernel] = value;
  return SUCCESS;
}
API int cuLaunchKernel(const Signature* kernel, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                       unsigned sharedBytes, Stream* s, void** arguments, void** extra) {
  BEGIN("cuLaunchKernel");
  auto allowed = allowedShared.find(kernel);
  unsigned mostShared = allowed == allowedShared.end() ? 48 << 10 : allowed->second;
  if (gx == 0 || gy == 0 || gy > 65535 || gz != 1 || bx == 0 || bx > 1024 || by != 1 || bz != 1 || sharedBytes > mostShared ||
      extra != nullptr) {
    return misuse("a launch has an impossible form");
  }
  // Arguments are copied when a kernel is launched, not when it runs.
  auto values = std::make_shared<std::vector<std::vector<char>>>();
  for (size_t i = 0; i < kernel->sizes.size(); i++) {
    const char* from = (const char*)arguments[i];
    values->emplace_back(from, from + kernel->sizes[i]);
  }
  return put(s, {[=] {
    tally[LAUNCHES]++;
    std::vector<void*> pointers;
    for (auto& value : *values) {
      pointers.push_back(value.data());
    }
    std::function<void()> call = [&] { kernel->entry.call(pointers.data()); };
    body = &call;
    gridDim = {gx, gy, 1};
    blockDim = {bx, 1, 1};
    // Of the size asked for, and poisoned for each block.
    std::vector<char> shared(sharedBytes + GUARD);
    sharedMemory = shared.data();
    for (unsigned y = 0; y < gy; y++) {
      for (unsigned x = 0; x < gx; x++) {
        // In either order, as threads.
        blockIdx = backwards ? Dim3{gx - 1 - x, gy - 1 - y, 0} : Dim3{x, y, 0};
        memset(shared.data(), 0xFF, sharedBytes);
        memset(shared.data() + sharedBytes, GUARD_BYTE, GUARD);
        if (!runBlock(bx, backwards)) {
          fprintf(stderr, "emulated CUDA: threads of %s ended while others waited\n", kernel->entry.name);
          abort();
        }
        for (size_t i = 0; i < GUARD; i++) {
          if ((unsigned char)shared[sharedBytes + i] != GUARD_BYTE) {
            tally[CORRUPTED]++;
            break;
          }
        }
      }
    }
    return SUCCESS;
  }, nullptr, kernelTicks});
}
API int cuGetErrorName(int code, const char** name) {
  *name = code == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : code == ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS" : "CUDA_ERROR";
  return SUCCESS;
}

// ---- NVRTC: the kernels are compiled already ---------------------------------------------------------------------------------

struct Program {
  std::string source, name;
  bool bad;
};
API int nvrtcVersion(int* major, int* minor) { *major = 12; *minor = 4; return 0; }
API int nvrtcCreateProgram(Program** program, const char* source, const char* name, int, const char* const*, const char* const*) {
  *program = new Program{source, name, false};
  return 0;
}
API int nvrtcDestroyProgram(Program** program) { delete *program; *program = nullptr; return 0; }
API int nvrtcCompileProgram(Program* program, int, const char* const*) {
  program->bad = program->source.find("__global__") == std::string::npos;
  return program->bad ? 6 : 0;
}
API int nvrtcGetCUBINSize(Program* program, size_t* bytes) { *bytes = program->name.size() + 10; return 0; }
API int nvrtcGetCUBIN(Program* program, char* to) { strcpy(to, ("EMULATED " + program->name).c_str()); return 0; }
API int nvrtcGetProgramLogSize(Program*, size_t* bytes) { *bytes = 11; return 0; }
API int nvrtcGetProgramLog(Program*, char* to) { strcpy(to, "no kernels"); return 0; }
API const char* nvrtcGetErrorString(int) { return "NVRTC_ERROR"; }

// ---- cuBLASLt: column-major, D = alpha op(A) op(B) + beta C, in double precision, or with rounded factors ----------------------

struct Desc {
  int compute;
  int transpose[2];
};
struct Layout {
  uint64_t rows, columns;
  int64_t stride;
};
API int cublasLtCreate(void** handle) { LOCK; *handle = malloc(1); tally[CUBLAS_LIVE]++; return 0; }
API int cublasLtDestroy(void* handle) { LOCK; free(handle); tally[CUBLAS_LIVE]--; return 0; }
API size_t cublasLtGetVersion() { return 120400; }
API const char* cublasLtGetStatusName(int) { return "CUBLAS_STATUS"; }
API int cublasLtMatmulDescCreate(Desc** desc, int compute, int) { LOCK; *desc = new Desc{compute, {0, 0}}; tally[CUBLAS_LIVE]++; return 0; }
API int cublasLtMatmulDescDestroy(Desc* desc) { LOCK; delete desc; tally[CUBLAS_LIVE]--; return 0; }
API int cublasLtMatmulDescSetAttribute(Desc* desc, int attribute, const void* value, size_t bytes) {
  if ((attribute != 3 && attribute != 4) || bytes != 4) {
    return 7;
  }
  desc->transpose[attribute - 3] = *(const int*)value;
  return 0;
}
API int cublasLtMatrixLayoutCreate(Layout** layout, int, uint64_t rows, uint64_t columns, int64_t stride) {
  LOCK;
  *layout = new Layout{rows, columns, stride};
  tally[CUBLAS_LIVE]++;
  return (int64_t)rows > stride && columns > 1 ? 7 : 0;
}
API int cublasLtMatrixLayoutDestroy(Layout* layout) { LOCK; delete layout; tally[CUBLAS_LIVE]--; return 0; }
API int cublasLtMatmulPreferenceCreate(void** preference) { LOCK; *preference = malloc(1); tally[CUBLAS_LIVE]++; return 0; }
API int cublasLtMatmulPreferenceDestroy(void* preference) { LOCK; free(preference); tally[CUBLAS_LIVE]--; return 0; }
API int cublasLtMatmulPreferenceSetAttribute(void*, int, const void*, size_t) { return 0; }
API int cublasLtMatmulAlgoGetHeuristic(void*, Desc*, Layout*, Layout*, Layout*, Layout*, void*, int, void*, int* found) {
  *found = 1;
  return 0;
}

static float roundedTo(float value, int bits) {
  uint32_t word;
  memcpy(&word, &value, 4);
  if ((word & 0x7f800000) != 0x7f800000) {
    uint32_t last = 1u << (23 - bits);
    word = (word + last / 2 - 1 + ((word / last) & 1)) & ~(last - 1);
  }
  memcpy(&value, &word, 4);
  return value;
}

API int cublasLtMatmul(void*, Desc* desc, const float* alpha, const float* a, Layout* al, const float* b, Layout* bl,
                       const float* beta, const float* c, Layout* cl, float* d, Layout* dl, const void*, void*, size_t, Stream* s) {
  LOCK;
  if (fault != SUCCESS) {
    return 14;
  }
  bool ta = desc->transpose[0], tb = desc->transpose[1];
  uint64_t m = ta ? al->columns : al->rows, k = ta ? al->rows : al->columns, n = tb ? bl->rows : bl->columns;
  if ((tb ? bl->columns : bl->rows) != k || dl->rows != m || dl->columns != n || *alpha != 1 || *beta != 0 || c != d || cl != dl) {
    misuse("a product whose shapes do not fit");
    return 7;
  }
  auto bytes = [](Layout* l) { return ((l->columns - 1) * l->stride + l->rows) * 4; };
  if (!inside((uintptr_t)a, bytes(al), false) || !inside((uintptr_t)b, bytes(bl), false) || !inside((uintptr_t)d, bytes(dl), false)) {
    misuse("a product of what is not device memory");
    return 7;
  }
  int bits = desc->compute == 77 ? 10 : desc->compute == 75 ? 7 : 23;
  Layout A = *al, B = *bl, D = *dl;
  return put(s, {[=] {
    std::vector<float> left(m * k), right(k * n);
    for (uint64_t i = 0; i < m; i++) {
      for (uint64_t l = 0; l < k; l++) {
        float x = ta ? a[i * A.stride + l] : a[l * A.stride + i];
        left[i * k + l] = bits == 23 ? x : roundedTo(x, bits);
      }
    }
    for (uint64_t j = 0; j < n; j++) {
      for (uint64_t l = 0; l < k; l++) {
        float x = tb ? b[l * B.stride + j] : b[j * B.stride + l];
        right[j * k + l] = bits == 23 ? x : roundedTo(x, bits);
      }
    }
    for (uint64_t j = 0; j < n; j++) {
      for (uint64_t i = 0; i < m; i++) {
        double sum = 0;
        for (uint64_t l = 0; l < k; l++) {
          sum += (double)left[i * k + l] * right[j * k + l];
        }
        d[j * D.stride + i] = (float)sum;
      }
    }
    return SUCCESS;
  }, nullptr}) == SUCCESS ? 0 : 13;
}
