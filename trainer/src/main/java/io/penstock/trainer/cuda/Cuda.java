package io.penstock.trainer.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** The driver's API (cuda.h), as far as it is needed. Handles and device addresses are longs. */
final class Cuda {
  /** System property that names the driver's library. */
  static final String PROPERTY = "penstock.cuda.driver";

  static final int CUDA_SUCCESS = 0;
  static final int CUDA_ERROR_OUT_OF_MEMORY = 2;
  static final int CUDA_ERROR_NO_DEVICE = 100;
  static final int CUDA_ERROR_INVALID_DEVICE = 101;
  static final int CUDA_ERROR_NO_BINARY_FOR_GPU = 209;
  static final int CUDA_ERROR_NOT_READY = 600;
  static final int CUDA_ERROR_ILLEGAL_ADDRESS = 700;
  static final int CUDA_ERROR_ILLEGAL_INSTRUCTION = 715;
  static final int CUDA_ERROR_MISALIGNED_ADDRESS = 716;
  static final int CUDA_ERROR_LAUNCH_FAILED = 719;
  static final int CU_STREAM_NON_BLOCKING = 1;
  static final int CU_STREAM_CAPTURE_MODE_RELAXED = 2;
  static final int CU_EVENT_DEFAULT = 0;
  static final int CU_EVENT_DISABLE_TIMING = 2;
  static final int CU_MEMHOSTALLOC_PORTABLE = 1;
  static final int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75;
  static final int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76;
  static final int CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97;
  static final int CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8;

  static final NativeLibrary LIBRARY =
      NativeLibrary.find("NVIDIA's driver", PROPERTY, List.of("libcuda.so.1"), List.of());

  private static final MethodHandle CU_INIT = LIBRARY.function("CUresult cuInit(unsigned int)");
  private static final MethodHandle CU_DRIVER_GET_VERSION =
      LIBRARY.function("CUresult cuDriverGetVersion(int*)");
  private static final MethodHandle CU_DEVICE_GET_COUNT =
      LIBRARY.function("CUresult cuDeviceGetCount(int*)");
  private static final MethodHandle CU_DEVICE_GET =
      LIBRARY.function("CUresult cuDeviceGet(CUdevice*, int)");
  private static final MethodHandle CU_DEVICE_GET_NAME =
      LIBRARY.function("CUresult cuDeviceGetName(char*, int, CUdevice)");
  private static final MethodHandle CU_DEVICE_GET_ATTRIBUTE =
      LIBRARY.function("CUresult cuDeviceGetAttribute(int*, CUdevice_attribute, CUdevice)");
  private static final MethodHandle CU_DEVICE_TOTAL_MEM =
      LIBRARY.function("CUresult cuDeviceTotalMem_v2(size_t*, CUdevice)");
  private static final MethodHandle CU_DEVICE_PRIMARY_CTX_RETAIN =
      LIBRARY.function("CUresult cuDevicePrimaryCtxRetain(CUcontext*, CUdevice)");
  private static final MethodHandle CU_DEVICE_PRIMARY_CTX_RELEASE =
      LIBRARY.function("CUresult cuDevicePrimaryCtxRelease_v2(CUdevice)");
  private static final MethodHandle CU_CTX_SET_CURRENT =
      LIBRARY.function("CUresult cuCtxSetCurrent(CUcontext)");
  private static final MethodHandle CU_MEM_GET_INFO =
      LIBRARY.function("CUresult cuMemGetInfo_v2(size_t*, size_t*)");
  private static final MethodHandle CU_MEM_ALLOC =
      LIBRARY.function("CUresult cuMemAlloc_v2(CUdeviceptr*, size_t)");
  private static final MethodHandle CU_MEM_FREE =
      LIBRARY.function("CUresult cuMemFree_v2(CUdeviceptr)");
  private static final MethodHandle CU_MEM_HOST_ALLOC =
      LIBRARY.function("CUresult cuMemHostAlloc(void**, size_t, unsigned int)");
  private static final MethodHandle CU_MEM_FREE_HOST =
      LIBRARY.function("CUresult cuMemFreeHost(void*)");
  private static final MethodHandle CU_MEMCPY_HTO_DASYNC =
      LIBRARY.function("CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr, const void*, size_t, CUstream)");
  private static final MethodHandle CU_MEMCPY_DTO_HASYNC =
      LIBRARY.function("CUresult cuMemcpyDtoHAsync_v2(void*, CUdeviceptr, size_t, CUstream)");
  private static final MethodHandle CU_MEMCPY_DTO_DASYNC =
      LIBRARY.function("CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr, CUdeviceptr, size_t, CUstream)");
  private static final MethodHandle CU_MEMSET_D8_ASYNC =
      LIBRARY.function("CUresult cuMemsetD8Async(CUdeviceptr, unsigned char, size_t, CUstream)");
  private static final MethodHandle CU_STREAM_CREATE =
      LIBRARY.function("CUresult cuStreamCreate(CUstream*, unsigned int)");
  private static final MethodHandle CU_STREAM_DESTROY =
      LIBRARY.function("CUresult cuStreamDestroy_v2(CUstream)");
  private static final MethodHandle CU_STREAM_SYNCHRONIZE =
      LIBRARY.function("CUresult cuStreamSynchronize(CUstream)");
  private static final MethodHandle CU_STREAM_WAIT_EVENT =
      LIBRARY.function("CUresult cuStreamWaitEvent(CUstream, CUevent, unsigned int)");
  private static final MethodHandle CU_STREAM_BEGIN_CAPTURE =
      LIBRARY.function("CUresult cuStreamBeginCapture_v2(CUstream, CUstreamCaptureMode)");
  private static final MethodHandle CU_STREAM_END_CAPTURE =
      LIBRARY.function("CUresult cuStreamEndCapture(CUstream, CUgraph*)");
  private static final MethodHandle CU_EVENT_CREATE =
      LIBRARY.function("CUresult cuEventCreate(CUevent*, unsigned int)");
  private static final MethodHandle CU_EVENT_DESTROY =
      LIBRARY.function("CUresult cuEventDestroy_v2(CUevent)");
  private static final MethodHandle CU_EVENT_RECORD =
      LIBRARY.function("CUresult cuEventRecord(CUevent, CUstream)");
  private static final MethodHandle CU_EVENT_QUERY =
      LIBRARY.function("CUresult cuEventQuery(CUevent)");
  private static final MethodHandle CU_EVENT_ELAPSED_TIME =
      LIBRARY.function("CUresult cuEventElapsedTime(float*, CUevent, CUevent)");
  private static final MethodHandle CU_GRAPH_INSTANTIATE_WITH_FLAGS =
      LIBRARY.function(
          "CUresult cuGraphInstantiateWithFlags(CUgraphExec*, CUgraph, unsigned long long)");
  private static final MethodHandle CU_GRAPH_EXEC_DESTROY =
      LIBRARY.function("CUresult cuGraphExecDestroy(CUgraphExec)");
  private static final MethodHandle CU_GRAPH_DESTROY =
      LIBRARY.function("CUresult cuGraphDestroy(CUgraph)");
  private static final MethodHandle CU_GRAPH_LAUNCH =
      LIBRARY.function("CUresult cuGraphLaunch(CUgraphExec, CUstream)");
  private static final MethodHandle CU_MODULE_LOAD_DATA =
      LIBRARY.function("CUresult cuModuleLoadData(CUmodule*, const void*)");
  private static final MethodHandle CU_MODULE_UNLOAD =
      LIBRARY.function("CUresult cuModuleUnload(CUmodule)");
  private static final MethodHandle CU_MODULE_GET_FUNCTION =
      LIBRARY.function("CUresult cuModuleGetFunction(CUfunction*, CUmodule, const char*)");
  private static final MethodHandle CU_FUNC_SET_ATTRIBUTE =
      LIBRARY.function("CUresult cuFuncSetAttribute(CUfunction, CUfunction_attribute, int)");
  private static final MethodHandle CU_LAUNCH_KERNEL =
      LIBRARY.function(
          "CUresult cuLaunchKernel(CUfunction, unsigned int, unsigned int, unsigned int, unsigned int, unsigned int, unsigned int, unsigned int, CUstream, void**, void**)");
  private static final MethodHandle CU_GET_ERROR_NAME =
      LIBRARY.function("CUresult cuGetErrorName(CUresult, const char**)");

  private static final int NAME_BYTES = 256;

  private Cuda() {}

  private static void check(int code, String call) {
    if (code != CUDA_SUCCESS) {
      throw CudaException.ofDriver(call, code, errorName(code));
    }
  }

  private static String errorName(int code) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      int unknown = (int) CU_GET_ERROR_NAME.invokeExact(code, out.address());
      return unknown != CUDA_SUCCESS ? "an unknown error" : string(out.get(JAVA_LONG, 0));
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  /** The C string at an address. */
  static String string(long address) {
    return MemorySegment.ofAddress(address).reinterpret(Long.MAX_VALUE).getString(0);
  }

  static void init() {
    int code;
    try {
      code = (int) CU_INIT.invokeExact(0);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuInit");
  }

  /** 1000 major + 10 minor of the newest CUDA that the driver knows. */
  static int driverVersion() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_INT);
      check((int) CU_DRIVER_GET_VERSION.invokeExact(out.address()), "cuDriverGetVersion");
      return out.get(JAVA_INT, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static int deviceCount() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_INT);
      check((int) CU_DEVICE_GET_COUNT.invokeExact(out.address()), "cuDeviceGetCount");
      return out.get(JAVA_INT, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static int device(int ordinal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_INT);
      check((int) CU_DEVICE_GET.invokeExact(out.address(), ordinal), "cuDeviceGet");
      return out.get(JAVA_INT, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static String deviceName(int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(NAME_BYTES);
      check(
          (int) CU_DEVICE_GET_NAME.invokeExact(out.address(), NAME_BYTES, device),
          "cuDeviceGetName");
      return out.getString(0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static int deviceAttribute(int attribute, int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_INT);
      check(
          (int) CU_DEVICE_GET_ATTRIBUTE.invokeExact(out.address(), attribute, device),
          "cuDeviceGetAttribute");
      return out.get(JAVA_INT, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static long deviceTotalMem(int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check((int) CU_DEVICE_TOTAL_MEM.invokeExact(out.address(), device), "cuDeviceTotalMem");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static long primaryContextRetain(int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check(
          (int) CU_DEVICE_PRIMARY_CTX_RETAIN.invokeExact(out.address(), device),
          "cuDevicePrimaryCtxRetain");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void primaryContextRelease(int device) {
    int code;
    try {
      code = (int) CU_DEVICE_PRIMARY_CTX_RELEASE.invokeExact(device);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuDevicePrimaryCtxRelease");
  }

  static void setCurrent(long context) {
    int code;
    try {
      code = (int) CU_CTX_SET_CURRENT.invokeExact(context);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuCtxSetCurrent");
  }

  /** Free bytes of the current context's GPU. */
  static long freeMemory() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG, 2);
      check(
          (int) CU_MEM_GET_INFO.invokeExact(out.address(), out.address() + Long.BYTES),
          "cuMemGetInfo");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static long memAlloc(long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check((int) CU_MEM_ALLOC.invokeExact(out.address(), bytes), "cuMemAlloc");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void memFree(long address) {
    int code;
    try {
      code = (int) CU_MEM_FREE.invokeExact(address);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuMemFree");
  }

  static long memHostAlloc(long bytes, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check((int) CU_MEM_HOST_ALLOC.invokeExact(out.address(), bytes, flags), "cuMemHostAlloc");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void memFreeHost(long address) {
    int code;
    try {
      code = (int) CU_MEM_FREE_HOST.invokeExact(address);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuMemFreeHost");
  }

  static void copyToDevice(long to, long from, long bytes, long stream) {
    int code;
    try {
      code = (int) CU_MEMCPY_HTO_DASYNC.invokeExact(to, from, bytes, stream);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuMemcpyHtoDAsync");
  }

  static void copyOnDevice(long to, long from, long bytes, long stream) {
    int code;
    try {
      code = (int) CU_MEMCPY_DTO_DASYNC.invokeExact(to, from, bytes, stream);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuMemcpyDtoDAsync");
  }

  static void copyToHost(long to, long from, long bytes, long stream) {
    int code;
    try {
      code = (int) CU_MEMCPY_DTO_HASYNC.invokeExact(to, from, bytes, stream);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuMemcpyDtoHAsync");
  }

  static void fill(long address, int value, long bytes, long stream) {
    int code;
    try {
      code = (int) CU_MEMSET_D8_ASYNC.invokeExact(address, value, bytes, stream);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuMemsetD8Async");
  }

  static long streamCreate(int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check((int) CU_STREAM_CREATE.invokeExact(out.address(), flags), "cuStreamCreate");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void streamDestroy(long stream) {
    int code;
    try {
      code = (int) CU_STREAM_DESTROY.invokeExact(stream);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuStreamDestroy");
  }

  static void streamSynchronize(long stream) {
    int code;
    try {
      code = (int) CU_STREAM_SYNCHRONIZE.invokeExact(stream);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuStreamSynchronize");
  }

  static void streamWaitEvent(long stream, long event) {
    int code;
    try {
      code = (int) CU_STREAM_WAIT_EVENT.invokeExact(stream, event, 0);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuStreamWaitEvent");
  }

  static void streamBeginCapture(long stream, int mode) {
    int code;
    try {
      code = (int) CU_STREAM_BEGIN_CAPTURE.invokeExact(stream, mode);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuStreamBeginCapture");
  }

  static long streamEndCapture(long stream) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check((int) CU_STREAM_END_CAPTURE.invokeExact(stream, out.address()), "cuStreamEndCapture");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static long eventCreate(int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check((int) CU_EVENT_CREATE.invokeExact(out.address(), flags), "cuEventCreate");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void eventDestroy(long event) {
    int code;
    try {
      code = (int) CU_EVENT_DESTROY.invokeExact(event);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuEventDestroy");
  }

  static void eventRecord(long event, long stream) {
    int code;
    try {
      code = (int) CU_EVENT_RECORD.invokeExact(event, stream);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuEventRecord");
  }

  /** Whether all that was before the event on its stream is done. */
  static boolean eventQuery(long event) {
    int code;
    try {
      code = (int) CU_EVENT_QUERY.invokeExact(event);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    if (code == CUDA_ERROR_NOT_READY) {
      return false;
    }
    check(code, "cuEventQuery");
    return true;
  }

  /** Microseconds from one event to another; both were made with {@link #CU_EVENT_DEFAULT} and have happened. */
  static double elapsedMicros(long from, long to) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_FLOAT);
      check((int) CU_EVENT_ELAPSED_TIME.invokeExact(out.address(), from, to), "cuEventElapsedTime");
      return 1e3 * out.get(JAVA_FLOAT, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static long graphInstantiate(long graph) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check(
          (int) CU_GRAPH_INSTANTIATE_WITH_FLAGS.invokeExact(out.address(), graph, 0L),
          "cuGraphInstantiateWithFlags");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void graphExecDestroy(long graph) {
    int code;
    try {
      code = (int) CU_GRAPH_EXEC_DESTROY.invokeExact(graph);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuGraphExecDestroy");
  }

  static void graphDestroy(long graph) {
    int code;
    try {
      code = (int) CU_GRAPH_DESTROY.invokeExact(graph);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuGraphDestroy");
  }

  static void graphLaunch(long graph, long stream) {
    int code;
    try {
      code = (int) CU_GRAPH_LAUNCH.invokeExact(graph, stream);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuGraphLaunch");
  }

  static long moduleLoadData(MemorySegment image) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check(
          (int) CU_MODULE_LOAD_DATA.invokeExact(out.address(), image.address()),
          "cuModuleLoadData");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void moduleUnload(long module) {
    int code;
    try {
      code = (int) CU_MODULE_UNLOAD.invokeExact(module);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuModuleUnload");
  }

  static long moduleGetFunction(long module, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check(
          (int)
              CU_MODULE_GET_FUNCTION.invokeExact(
                  out.address(), module, arena.allocateFrom(name).address()),
          "cuModuleGetFunction");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void funcSetAttribute(long function, int attribute, int value) {
    int code;
    try {
      code = (int) CU_FUNC_SET_ATTRIBUTE.invokeExact(function, attribute, value);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuFuncSetAttribute");
  }

  /** @param parameters address of an array of pointers to the arguments */
  static void launchKernel(
      long function,
      int gridX,
      int gridY,
      int threads,
      int sharedBytes,
      long stream,
      long parameters) {
    int code;
    try {
      code =
          (int)
              CU_LAUNCH_KERNEL.invokeExact(
                  function, gridX, gridY, 1, threads, 1, 1, sharedBytes, stream, parameters, 0L);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cuLaunchKernel");
  }
}
