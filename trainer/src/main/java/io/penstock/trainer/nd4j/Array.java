package io.penstock.trainer.nd4j;

import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;
import org.nd4j.nativeblas.OpaqueDataBuffer;

/**
 * A view of a {@link Buffer} as operations take it.
 *
 * @param shape ND4J's description of shape and strides; the library keeps it for good
 * @param deviceShape the same in the device's memory, where that is another
 */
record Array(OpaqueDataBuffer buffer, LongPointer shape, @Nullable Pointer deviceShape) {}
