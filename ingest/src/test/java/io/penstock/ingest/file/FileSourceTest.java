package io.penstock.ingest.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.airlift.compress.v3.zstd.ZstdOutputStream;
import io.penstock.config.FormatConfig;
import io.penstock.config.SourceConfig;
import io.penstock.ingest.codec.Decoding;
import io.penstock.ingest.codec.RecordedRejections;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Source.Partition;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.StreamItem;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.agrona.concurrent.SystemEpochNanoClock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;

class FileSourceTest {
  private static final BlockSchema SCHEMA =
      new BlockSchema(
          List.of(new Column("a", Kind.NUMBER, false), new Column("b", Kind.NUMBER, false)),
          new Label("y", 0, List.of()),
          "",
          "");
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final RecordedRejections rejections = new RecordedRejections();
  private BlockPool pool = Decoding.pool(SCHEMA, 64, 4);

  @TempDir private Path folder = Path.of("");

  @AfterEach
  void shouldHaveGivenBackEveryBlock() {
    assertThat(pool.held()).isZero();
    pool.close();
  }

  @Test
  void shouldReadAFileToItsEndByDemand() throws IOException {
    Path file = write(1000);
    StepVerifier.create(items(file, null), 0)
        .thenRequest(1)
        .consumeNextWith(item -> assertThat(release(item)).isEqualTo(64))
        .thenRequest(16)
        .thenConsumeWhile(item -> item instanceof Block, FileSourceTest::release)
        .expectNextMatches(item -> item instanceof EndOfPartition)
        .expectComplete()
        .verify(LIMIT);
  }

  @Test
  void shouldGoOnBehindAnyBlockWithTheSameRows() throws IOException {
    Path file = write(300);
    List<Decoding.Row> all = new ArrayList<>();
    List<PartitionCursor> positions = new ArrayList<>();
    collect(items(file, null), all, positions);
    assertThat(all).hasSize(300);
    for (PartitionCursor position : positions) {
      List<Decoding.Row> rest = new ArrayList<>();
      collect(items(file, position), rest, new ArrayList<>());
      assertThat(rest).isEqualTo(all.subList((int) position.nextRow(), all.size()));
    }
  }

  @Test
  void shouldGiveBackBlocksWhenCancelled() throws IOException, InterruptedException {
    StepVerifier.create(items(write(10_000), null), 2)
        .consumeNextWith(FileSourceTest::release)
        .consumeNextWith(FileSourceTest::release)
        .thenCancel()
        .verify(LIMIT);
    // Clearing up is the file thread's: when the test can have all blocks, it has given back its
    // own.
    List<Block> taken = new ArrayList<>();
    PartitionCursor another = new PartitionCursor(0, 1, 0, 0);
    while (taken.size() < pool.capacityBlocks()) {
      CountDownLatch free = new CountDownLatch(1);
      pool.whenFree(another, free::countDown);
      assertThat(free.await(20, TimeUnit.SECONDS)).isTrue();
      Block block = pool.tryAcquire(1, another);
      if (block != null) {
        taken.add(block);
      }
    }
    taken.forEach(Block::release);
  }

  @Test
  void shouldNameThePathOfAFileThatIsNotThere() {
    Path file = folder.resolve("missing.csv");
    StepVerifier.create(items(file, null))
        .expectErrorSatisfies(
            e ->
                assertThat(e)
                    .isInstanceOf(SourceException.class)
                    .hasMessageContaining("source.file.path: cannot read '" + file + "'"))
        .verify(LIMIT);
    assertThatThrownBy(() -> FileSource.columnNames(config(file)))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining(file.toString());
  }

  @Test
  void shouldSayThatAFolderCannotBeRead() {
    StepVerifier.create(items(folder, null))
        .expectErrorSatisfies(
            e ->
                assertThat(e)
                    .isInstanceOf(SourceException.class)
                    .hasMessageContaining("cannot read"))
        .verify(LIMIT);
  }

  @Test
  void shouldSayThatAFileIsShorterThanWhereItIsToBeReadOn() throws IOException {
    StepVerifier.create(items(write(1), new PartitionCursor(0, 0, 500, 5000)))
        .expectErrorSatisfies(e -> assertThat(e).hasMessageContaining("from byte 5000"))
        .verify(LIMIT);
  }

  @ParameterizedTest
  @ValueSource(strings = {".gz", ".zst"})
  void shouldReadCompressedFilesAndGoOnBehindAnyBlock(String ending) throws IOException {
    Path plain = write(300);
    Path packed = pack(Files.readAllBytes(plain), ending);
    assertThat(FileSource.columnNames(config(packed)))
        .isEqualTo(FileSource.columnNames(config(plain)));
    List<Decoding.Row> expected = new ArrayList<>();
    collect(items(plain, null), expected, new ArrayList<>());
    List<PartitionCursor> positions = new ArrayList<>();
    List<Decoding.Row> all = new ArrayList<>();
    collect(items(packed, null), all, positions);
    assertThat(all).isEqualTo(expected);
    for (PartitionCursor position : positions) {
      List<Decoding.Row> rest = new ArrayList<>();
      collect(items(packed, position), rest, new ArrayList<>());
      assertThat(rest).isEqualTo(all.subList((int) position.nextRow(), all.size()));
    }
    StepVerifier.create(items(packed, new PartitionCursor(0, 0, 500, 500_000)))
        .expectErrorSatisfies(e -> assertThat(e).hasMessageContaining("from byte 500000"))
        .verify(LIMIT);
  }

  /** Written by zstd 1.5: "a,y,b", "1,2,3" and "4,5,6", a line each. */
  @Test
  void shouldReadWhatZstdWrites() throws IOException {
    Path file =
        Files.write(
            folder.resolve("rows.csv.zst"),
            HexFormat.of()
                .parseHex("28b52ffd0458910000612c792c620a312c322c330a342c352c360a283ccec0"));
    List<Decoding.Row> rows = new ArrayList<>();
    collect(items(file, null), rows, new ArrayList<>());
    assertThat(rows).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {".gz", ".zst"})
  void shouldSayThatACompressedFileIsDamaged(String ending) throws IOException {
    byte[] plain = Files.readAllBytes(write(100_000));
    byte[] packed = Files.readAllBytes(pack(plain, ending));
    Path cut =
        Files.write(
            folder.resolve("cut.csv" + ending), Arrays.copyOf(packed, packed.length * 2 / 3));
    Path other = Files.writeString(folder.resolve("other.csv" + ending), "a,y,b\n1,2,3\n");
    requireDamaged(cut, null);
    requireDamaged(other, null);
    requireDamaged(other, new PartitionCursor(0, 0, 1, 12));
  }

  private void requireDamaged(Path damaged, @Nullable PartitionCursor from) {
    StepVerifier.create(items(damaged, from))
        .thenConsumeWhile(item -> item instanceof Block, FileSourceTest::release)
        .expectErrorSatisfies(
            e ->
                assertThat(e)
                    .isInstanceOf(SourceException.class)
                    .hasMessageContaining(damaged.toString())
                    .hasMessageContaining("damaged or cut off"))
        .verify(LIMIT);
  }

  private Path pack(byte[] bytes, String ending) throws IOException {
    Path file = folder.resolve("packed.csv" + ending);
    OutputStream out = Files.newOutputStream(file);
    try (OutputStream packing =
        ending.equals(".gz") ? new GZIPOutputStream(out) : new ZstdOutputStream(out)) {
      packing.write(bytes);
    }
    return file;
  }

  @Test
  void shouldReadTheHeaderOfAFile() throws IOException {
    assertThat(FileSource.columnNames(config(write(3)))).containsExactly("a", "y", "b");
  }

  @Test
  void shouldReadElec2AsItIs() throws IOException {
    Path shared = Path.of(System.getProperty("penstock.shared", "."));
    Path packed = shared.resolve("data/elec2/electricity.csv.gz");
    Assumptions.assumeTrue(Files.exists(packed), () -> packed + " is not there");
    Path file = folder.resolve("electricity.csv");
    try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
      Files.copy(in, file);
    }
    List<String> names = FileSource.columnNames(config(file));
    List<Column> columns =
        names.subList(0, names.size() - 1).stream()
            .map(name -> new Column(name, Kind.NUMBER, false))
            .toList();
    List<String> lines = Files.readAllLines(file);
    List<String> classes =
        lines.stream().skip(1).map(FileSourceTest::lastField).distinct().toList();
    BlockSchema schema =
        new BlockSchema(columns, new Label(names.getLast(), classes.size(), classes), "", "");
    pool.close();
    pool = Decoding.pool(schema, 512, 4);
    List<Decoding.Row> rows = new ArrayList<>();
    collect(items(file, schema, null), rows, new ArrayList<>());
    assertThat(rejections.rows()).isEmpty();
    assertThat(rows).hasSize(lines.size() - 1);
    for (int i = 0; i < rows.size(); i++) {
      String[] values = lines.get(i + 1).split(",", -1);
      for (int c = 0; c < columns.size(); c++) {
        assertThat(Float.intBitsToFloat(rows.get(i).features().get(c).intValue()))
            .isEqualTo(Float.parseFloat(values[c]));
      }
      assertThat(classes.get((int) Float.intBitsToFloat(rows.get(i).label())))
          .isEqualTo(values[columns.size()]);
    }
  }

  private static String lastField(String line) {
    return line.substring(line.lastIndexOf(',') + 1);
  }

  private Path write(int rows) throws IOException {
    StringBuilder text = new StringBuilder("a,y,b\n");
    for (int i = 0; i < rows; i++) {
      text.append(i).append(',').append(i * 0.5).append(",-7\n");
    }
    return Files.writeString(folder.resolve("rows.csv"), text);
  }

  private static SourceConfig.File config(Path file) {
    return new SourceConfig.File(
        file.toString(), new FormatConfig.Csv(true, ",", List.of(), List.of()), 1 << 20, 1);
  }

  private Flux<StreamItem> items(Path file, @Nullable PartitionCursor at) {
    return items(file, SCHEMA, at);
  }

  private Flux<StreamItem> items(Path file, BlockSchema schema, @Nullable PartitionCursor at) {
    return items(config(file), schema, at);
  }

  private Flux<StreamItem> items(
      SourceConfig.File config, BlockSchema schema, @Nullable PartitionCursor at) {
    SourceContext context =
        new SourceContext(
            0,
            1,
            pool,
            rejections,
            new SystemEpochNanoClock(),
            new StageMeter("ingest"),
            at == null ? Map.of() : Map.of(0, at));
    return new FileSource(config, schema, context).partitions().concatMap(Partition::items);
  }

  /** Three passes of a file that ends without a newline, and with rows that are none. */
  @ParameterizedTest
  @ValueSource(strings = {"rows.csv", "rows.csv.gz", "rows.ndjson", "rows.ndjson.zst"})
  void shouldReadAFileSeveralTimesAndGoOnBehindAnyBlock(String name) throws IOException {
    boolean json = name.contains("json");
    StringBuilder text = new StringBuilder(json ? "" : "\ufeffa,y,b\n");
    for (int i = 0; i < 150; i++) {
      String row = json ? "{\"a\":%d,\"y\":%<d,\"b\":-7}" : "%d,%<d,-7";
      text.append(row.formatted(i)).append(i % 40 == 13 ? "\nwrong\n\n" : i == 149 ? "" : "\n");
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    Path file =
        name.endsWith("z") || name.endsWith(".zst")
            ? pack(bytes, name.substring(name.lastIndexOf('.')))
            : Files.write(folder.resolve(name), bytes);
    FormatConfig format =
        json
            ? new FormatConfig.Json(FormatConfig.UnknownFields.IGNORE)
            : new FormatConfig.Csv(true, ",", List.of(), List.of());
    SourceConfig.File three = new SourceConfig.File(file.toString(), format, 1 << 20, 3);
    List<Decoding.Row> all = new ArrayList<>();
    List<PartitionCursor> positions = new ArrayList<>();
    collect(items(three, SCHEMA, null), all, positions);

    assertThat(all).hasSize(450);
    assertThat(all.getLast().number()).isEqualTo(3 * (150 + 4) - 1);
    assertThat(all.subList(300, 450))
        .extracting(Decoding.Row::features)
        .isEqualTo(all.subList(0, 150).stream().map(Decoding.Row::features).toList());
    assertThat(positions.getLast().nextOffset()).isEqualTo(3L * bytes.length);
    for (PartitionCursor position : positions) {
      List<Decoding.Row> rest = new ArrayList<>();
      collect(items(three, SCHEMA, position), rest, new ArrayList<>());
      assertThat(rest)
          .isEqualTo(all.stream().filter(row -> row.number() >= position.nextRow()).toList());
    }
  }

  private static int release(StreamItem item) {
    Block block = (Block) item;
    block.release();
    return block.rows();
  }

  private static void collect(
      Flux<StreamItem> items, List<Decoding.Row> rows, List<PartitionCursor> positions) {
    items
        .doOnNext(
            item -> {
              if (item instanceof Block block) {
                rows.addAll(Decoding.rows(block));
                positions.add(new PartitionCursor(0, 0, block.nextRow(), block.nextOffset()));
                block.release();
              }
            })
        .blockLast(LIMIT);
  }
}
