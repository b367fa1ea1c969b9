package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;
import io.penstock.config.FormatConfig;
import io.penstock.ingest.codec.CsvHeader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How a producer introduces itself: its first line, and the header behind it where the format has one. docs/tcp-protocol.md
 * describes it.
 *
 * @param epoch {@link #NEW_EPOCH} where it takes any that is new
 * @param window rows that it keeps until they are durable; 0: as many as there are
 * @param columns of its header; empty where the format has none
 */
record Handshake(String producer, long epoch, long window, List<String> columns) {
  static final long NEW_EPOCH = -1;

  private static final String VERSION = "penstock/1";
  private static final int MAX_LINE_BYTES = 1024;
  private static final int MAX_NUMBER_DIGITS = 18;
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9._:-]{1,128}");
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1," + MAX_NUMBER_DIGITS + "}");

  /**
   * Reads it; null where some of it has not come. Moves {@code seen} behind it where it has.
   *
   * @throws RefusedException where it is none, or gives another token than is asked for
   */
  static @Nullable Handshake read(
      ByteBuf seen, FormatConfig format, int maxHeaderBytes, TokenCheck tokens) {
    int from = seen.readerIndex();
    String line = line(seen);
    if (line == null) {
      return null;
    }
    Handshake bare = parse(line, tokens);
    if (!(format instanceof FormatConfig.Csv csv) || !csv.header()) {
      return bare;
    }
    int headerFrom = seen.readerIndex();
    String header = line(seen, maxHeaderBytes);
    if (header == null) {
      seen.readerIndex(from);
      return null;
    }
    byte[] utf8 = new byte[seen.readerIndex() - headerFrom];
    seen.getBytes(headerFrom, utf8);
    List<String> columns = CsvHeader.parse(utf8, 0, utf8.length, csv.delimiter().charAt(0));
    return new Handshake(bare.producer, bare.epoch, bare.window, columns);
  }

  /**
   * Reads the line that says which row comes first; null where it has not come.
   *
   * @throws RefusedException where it is none
   */
  static @Nullable Long readFirstRow(ByteBuf seen) {
    String line = line(seen);
    if (line == null) {
      return null;
    }
    String[] words = line.split(" ", -1);
    if (words.length != 2 || !words[0].equals("rows") || !NUMBER.matcher(words[1]).matches()) {
      throw new RefusedException(
          "rows", "behind the handshake 'rows N' must come, N the number of the first row");
    }
    return Long.valueOf(words[1]);
  }

  private static Handshake parse(String line, TokenCheck tokens) {
    String[] words = line.split(" ", -1);
    if (!words[0].equals(VERSION)) {
      throw new RefusedException(
          words[0].startsWith("penstock/") ? "version" : "handshake",
          "the first line must be '%s producer=ID', since source.tcp.acknowledge is set here"
              .formatted(VERSION));
    }
    Map<String, String> given = new HashMap<>();
    for (int i = 1; i < words.length; i++) {
      String[] pair = words[i].split("=", 2);
      boolean known =
          pair[0].equals("producer")
              || pair[0].equals("epoch")
              || pair[0].equals("window")
              || pair[0].equals("token");
      if (pair.length < 2 || !known || given.put(pair[0], pair[1]) != null) {
        throw new RefusedException(
            "handshake",
            "behind the version producer=, epoch=, window= and token= may come, once each");
      }
    }
    tokens.check(given.get("token"));
    String producer = given.getOrDefault("producer", "");
    if (!ID.matcher(producer).matches()) {
      throw new RefusedException(
          "producer", "producer= must be 1 to 128 letters, digits, '.', '_', ':' and '-'");
    }
    return new Handshake(
        producer, number(given, "epoch", NEW_EPOCH), number(given, "window", 0), List.of());
  }

  private static long number(Map<String, String> given, String key, long absent) {
    String text = given.get(key);
    if (text == null) {
      return absent;
    }
    if (!NUMBER.matcher(text).matches()) {
      throw new RefusedException("handshake", key + "= must be a number of 1 to 18 digits");
    }
    return Long.parseLong(text);
  }

  /**
   * Takes a line of the protocol, without its end; null where that has not come.
   *
   * @throws RefusedException where it is too long
   */
  static @Nullable String line(ByteBuf seen) {
    return line(seen, MAX_LINE_BYTES);
  }

  private static @Nullable String line(ByteBuf seen, int maxBytes) {
    int from = seen.readerIndex();
    int end = seen.indexOf(from, seen.writerIndex(), (byte) '\n');
    if ((end < 0 ? seen.writerIndex() : end) - from > maxBytes) {
      throw new RefusedException(
          "handshake", "a line of the handshake has more than %d bytes".formatted(maxBytes));
    }
    if (end < 0) {
      return null;
    }
    seen.readerIndex(end + 1);
    int to = end > from && seen.getByte(end - 1) == '\r' ? end - 1 : end;
    return seen.toString(from, to - from, StandardCharsets.UTF_8);
  }
}
