package io.penstock.trainer.nd4j;

import org.bytedeco.javacpp.Pointer;

/** An address that can be set anew, so that none has to be made for each slot. */
final class Address extends Pointer {
  Address at(long newAddress) {
    address = newAddress;
    return this;
  }
}
