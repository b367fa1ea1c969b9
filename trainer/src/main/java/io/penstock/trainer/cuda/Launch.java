package io.penstock.trainer.cuda;

/** Work that can be put on a stream, again and again. */
interface Launch {
  void on(long stream);
}
