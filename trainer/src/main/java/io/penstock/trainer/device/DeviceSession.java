package io.penstock.trainer.device;

import io.penstock.pipeline.Slot;
import io.penstock.pipeline.State;
import io.penstock.pipeline.Stateful;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A program on a device, with its weights. All methods are for the device thread. Everything but {@link #trySubmit} and
 * {@link #poll} may wait for the device, and needs a session without a step in flight.
 */
public interface DeviceSession extends Stateful, AutoCloseable {

  Program program();

  /**
   * Hands over a minibatch. The slot must not change until {@link #poll} has reported its step.
   *
   * @return false where the device has no twin free: poll, then try again
   * @throws IllegalArgumentException where the slot is not of the program's layout or has no rows; nothing has changed then
   */
  boolean trySubmit(Slot slot);

  /**
   * Takes the result of the oldest step that has ended and was not yet reported; its slot has been read for the last time.
   *
   * @return false where there is none
   */
  boolean poll(StepResult result);

  /** Copies a region of the device out; {@code to} has its size in bytes, off the heap or on it. */
  void read(Region region, MemorySegment to);

  /** Copies a region of the device out; {@code to} has its size. */
  default void read(Region region, float[] to) {
    read(region, MemorySegment.ofArray(to));
  }

  /** Copies {@code from}, of the region's size, into a region of the device. */
  void write(Region region, float[] from);

  /** Copies the training state out. May be called with steps in flight: then it is that after one of them, or before all. */
  void read(TrainingState to);

  /** Takes over a training state. */
  void write(TrainingState from);

  /** The flat parameter buffer. */
  default float[] parameters() {
    float[] values = new float[program().size(Region.PARAMETERS)];
    read(Region.PARAMETERS, values);
    return values;
  }

  /** SHA-256 over the parameters, tensor after tensor, little-endian; in hexadecimal. */
  default String weightsSha256() {
    return SessionState.sha256(program().parameters(), parameters());
  }

  @Override
  default void save(State state) {
    SessionState.save(this, state, Arena.ofAuto().allocate(snapshotBytes(), Long.BYTES));
  }

  /** Memory for {@link #snapshot}, of {@link #snapshotBytes}; whoever looks at it after the session's end may find nothing. */
  default MemorySegment snapshotMemory() {
    return Arena.ofAuto().allocate(snapshotBytes(), Long.BYTES);
  }

  /** Bytes of parameters and optimizer state. */
  default long snapshotBytes() {
    return SessionState.bytes(program());
  }

  /**
   * Saves by one copy of parameters and optimizer state, into memory that the state looks at until it is released. The state is
   * that of now, whatever steps follow; but it is whole only when {@link #isSnapshotWhole} says so, and no other may be begun
   * before.
   *
   * @param memory of {@link #snapshotMemory}
   */
  default void snapshot(State state, MemorySegment memory) {
    SessionState.save(this, state, memory);
  }

  /** Whether the snapshot begun last has been copied whole. */
  default boolean isSnapshotWhole() {
    return true;
  }

  @Override
  default void restore(State state) {
    SessionState.restore(this, state);
  }

  /** Waits for steps in flight and frees the device's memory. */
  @Override
  void close();
}
