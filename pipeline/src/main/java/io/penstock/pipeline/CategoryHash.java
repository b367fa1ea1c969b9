package io.penstock.pipeline;

import java.nio.charset.StandardCharsets;

/**
 * The number that stands for a category's text in a block: FNV-1a over its UTF-8 bytes, 64 bits, then the finalizer of
 * MurmurHash3. It is part of saved state and must never change. 0 is kept for a missing value.
 */
public final class CategoryHash {
  private CategoryHash() {}

  public static long of(byte[] utf8, int from, int to) {
    long h = 0xcbf29ce484222325L;
    for (int i = from; i < to; i++) {
      h = (h ^ (utf8[i] & 0xff)) * 0x100000001b3L;
    }
    return finish(h);
  }

  public static long of(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return of(utf8, 0, utf8.length);
  }

  private static long finish(long hash) {
    long h = hash;
    h = (h ^ (h >>> 33)) * 0xff51afd7ed558ccdL;
    h = (h ^ (h >>> 33)) * 0xc4ceb9fe1a85ec53L;
    h ^= h >>> 33;
    return h == 0 ? 1 : h;
  }
}
