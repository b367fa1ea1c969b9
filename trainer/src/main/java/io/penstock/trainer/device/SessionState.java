package io.penstock.trainer.device;

import io.penstock.pipeline.State;
import io.penstock.trainer.model.MetricsSpec;
import io.penstock.trainer.model.ParameterLayout;
import io.penstock.trainer.model.ParameterLayout.Tensor;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What a session saves, the same for every device: parameters and optimizer state by tensor, and the training state. What is
 * saved can be looked at without a device.
 */
public final class SessionState {
  /** What the names of saved parameters begin with. */
  public static final String PARAMETERS = "model.";

  /** What the names of the optimizer's saved arrays begin with. */
  public static final String OPTIMIZER = "optimizer.";

  private static final String COUNTERS = "training.counters";
  private static final String VALUES = "training.values";

  private SessionState() {}

  /** Bytes that a session's parameters and optimizer state take. */
  static long bytes(Program program) {
    return ((long) program.size(Region.PARAMETERS) + program.size(Region.OPTIMIZER)) * Float.BYTES;
  }

  static void save(DeviceSession session, State state, MemorySegment memory) {
    long parameterBytes = (long) session.program().parameters().size() * Float.BYTES;
    session.read(Region.PARAMETERS, memory.asSlice(0, parameterBytes));
    session.read(Region.OPTIMIZER, memory.asSlice(parameterBytes));
    describe(session, state, memory);
  }

  /**
   * Writes what lies in a snapshot's memory, or will, and the training state.
   *
   * @param memory parameters, then the optimizer's state
   */
  public static void describe(DeviceSession session, State state, MemorySegment memory) {
    Program program = session.program();
    ParameterLayout layout = program.parameters();
    long parameterBytes = (long) layout.size() * Float.BYTES;
    MemorySegment optimizer = memory.asSlice(parameterBytes);
    for (Tensor tensor : layout.tensors()) {
      state.put(PARAMETERS + tensor.name(), part(memory, tensor));
      for (int i = 0; i < optimizerStates(program); i++) {
        state.put(optimizerName(tensor, i), part(optimizer.asSlice(i * parameterBytes), tensor));
      }
    }
    TrainingState training = new TrainingState(program.metrics());
    session.read(training);
    state.put(COUNTERS, training.counters());
    state.put(VALUES, training.values());
  }

  static void restore(DeviceSession session, State state) {
    Program program = session.program();
    ParameterLayout layout = program.parameters();
    float[] optimizer = new float[program.size(Region.OPTIMIZER)];
    for (Tensor tensor : layout.tensors()) {
      for (int i = 0; i < optimizerStates(program); i++) {
        take(state, optimizerName(tensor, i), tensor, optimizer, i * layout.size());
      }
    }
    session.write(Region.PARAMETERS, parameters(state, layout));
    session.write(Region.OPTIMIZER, optimizer);
    session.write(training(state, program.metrics()));
  }

  /**
   * The flat parameter buffer as it was saved.
   *
   * @throws IllegalStateException where the state is of another model
   */
  public static float[] parameters(State state, ParameterLayout layout) {
    float[] parameters = new float[layout.size()];
    for (Tensor tensor : layout.tensors()) {
      take(state, PARAMETERS + tensor.name(), tensor, parameters, 0);
    }
    return parameters;
  }

  /**
   * Copies the parameters as they were saved, without a detour over the heap where they lie outside of it.
   *
   * @param to the flat parameter buffer
   * @throws IllegalStateException where the state is of another model
   */
  public static void copyParameters(State state, ParameterLayout layout, MemorySegment to) {
    for (Tensor tensor : layout.tensors()) {
      MemorySegment part = part(to, tensor).values();
      String name = PARAMETERS + tensor.name();
      MemorySegment saved =
          state.arrays().get(name) instanceof State.Matrix matrix
              ? matrix.values()
              : MemorySegment.ofArray(state.floats(name));
      requireSize(name, saved.byteSize() / Float.BYTES, tensor);
      part.copyFrom(saved);
    }
  }

  /** The training state as it was saved. */
  public static TrainingState training(State state, MetricsSpec spec) {
    TrainingState training = new TrainingState(spec);
    training.set(state.longs(COUNTERS), state.doubles(VALUES));
    return training;
  }

  private static int optimizerStates(Program program) {
    return program.size(Region.OPTIMIZER) / program.parameters().size();
  }

  /** SHA-256 over the parameters, tensor after tensor, little-endian; in hexadecimal. */
  public static String sha256(ParameterLayout layout, float[] parameters) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform must have SHA-256", e);
    }
    for (Tensor tensor : layout.tensors()) {
      ByteBuffer bytes =
          ByteBuffer.allocate(tensor.size() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(parameters, tensor.offset(), tensor.size());
      digest.update(bytes);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static State.Matrix part(MemorySegment values, Tensor tensor) {
    return new State.Matrix(
        values.asSlice((long) tensor.offset() * Float.BYTES, (long) tensor.size() * Float.BYTES),
        tensor.rows(),
        tensor.columns());
  }

  private static void take(State state, String name, Tensor tensor, float[] values, int base) {
    float[] saved = state.floats(name);
    requireSize(name, saved.length, tensor);
    System.arraycopy(saved, 0, values, base + tensor.offset(), saved.length);
  }

  private static void requireSize(String name, long saved, Tensor tensor) {
    if (saved != tensor.size()) {
      throw new IllegalStateException(
          "saved state: '%s' has %d values, the model needs %d: it is of another model"
              .formatted(name, saved, tensor.size()));
    }
  }

  private static String optimizerName(Tensor tensor, int index) {
    return OPTIMIZER + tensor.name() + "." + index;
  }
}
