package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The release archive, unpacked somewhere else, without a JDK; and the container's tree and start made of it, since there need
 * be no container engine. Of profile dist: ./mvnw -Pdist verify.
 */
@Tag("dist")
@Timeout(300)
class ArchiveTest {
  private static final Path HOME = Path.of(System.getProperty("penstock.home"));
  private static final Pattern MADE_TOKEN =
      Pattern.compile("made a token, kept in (\\S+), and not shown again: (\\w+)");
  private static final Pattern ADDRESS =
      Pattern.compile("meters at http://0\\.0\\.0\\.0:(\\d+)/metrics");

  /** With its summary, or without where the machine is too slow for that. */
  private static final String[] ENDS = {"Trained on ", "the run did not end within"};

  private @TempDir Path folder;
  private Path unpacked;

  @BeforeEach
  void unpack() throws Exception {
    Path archive;
    try (Stream<Path> files = Files.list(HOME.resolve("src/target"))) {
      archive =
          files
              .filter(file -> file.toString().endsWith("-linux-x86_64.tar.gz"))
              .findFirst()
              .orElseThrow();
    }
    run(folder, "tar", "xzf", archive.toString());
    String name = archive.getFileName().toString();
    unpacked = folder.resolve("moved to another place");
    Files.move(folder.resolve(name.substring(0, name.length() - ".tar.gz".length())), unpacked);
  }

  @Test
  void shouldTrainInAnEmptyFolderWithNoJdkOnThePath() throws Exception {
    String said =
        run(
            unpacked,
            "env -i PATH=/usr/bin:/bin bin/penstock train config/quickstart.yaml --max-records 20000 --set http.port=0"
                .split(" ", -1));

    assertThat(said).contains("Trained on 20,000 rows");
  }

  /** {@code AOTMode=on} makes it an error that the cache cannot be used. */
  @Test
  void shouldUseTheCacheWhereverItLiesAndDoWithout() throws Exception {
    String[] command = {
      "env", "-i", "PATH=/usr/bin:/bin", "PENSTOCK_OPTS=-XX:AOTMode=on", "bin/penstock", "--version"
    };
    assertThat(run(unpacked, command)).contains("penstock " + Version.TEXT.split(" ", 2)[0]);

    Files.write(unpacked.resolve("penstock.aot"), new byte[] {1, 2, 3});
    assertThat(start(unpacked, command).waitFor()).as("the check above can fail").isNotZero();
    command[3] = "PENSTOCK_OPTS=";
    assertThat(run(unpacked, command)).contains("penstock ");
    Files.delete(unpacked.resolve("penstock.aot"));
    assertThat(run(unpacked, command)).contains("penstock ");
  }

  @Test
  void shouldBringEverythingThatItPromises() throws Exception {
    assertThat(unpacked)
        .isDirectoryContaining("glob:**/LICENSE")
        .isDirectoryContaining("glob:**/README.md");
    assertThat(Files.readString(unpacked.resolve("completion/penstock.bash")))
        .isEqualTo(Console.start("completion").outAfter(ExitCode.OK));
    assertThat(
            run(
                unpacked,
                "grep",
                "-rIl",
                HOME.toString(),
                "bin",
                "config",
                "jvm-flags",
                "completion",
                "README.md",
                "--",
                "/dev/null"))
        .as("files with a path of the machine that built it")
        .isEmpty();
  }

  /** docker/Dockerfile by hand: the tree read-only, all writing in the state's folder, and no root where that can be had. */
  @Test
  void shouldStartAsTheContainerDoes() throws Exception {
    Path app = unpacked;
    Path state = Files.createDirectory(folder.resolve("state"));
    for (String script : List.of("entrypoint", "healthcheck")) {
      Files.copy(HOME.resolve("docker").resolve(script), app.resolve("bin").resolve(script));
    }
    run(folder, "chmod", "-R", "a-w,a+rX", app.toString());
    run(folder, "chmod", "a+rx", folder.toString());
    List<String> user = new ArrayList<>();
    if (run(folder, "id", "-u").strip().equals("0")) {
      run(folder, "chown", "10001:10001", state.toString());
      user =
          List.of(
              "setpriv",
              "--reuid=10001",
              "--regid=10001",
              "--clear-groups",
              "--no-new-privs",
              "--inh-caps=-all");
    }
    List<String> command = new ArrayList<>(user);
    command.addAll(
        List.of(
            "env",
            "-i",
            "PATH=/usr/bin:/bin",
            "HOME=/nowhere",
            "PENSTOCK_STATE=" + state,
            app.resolve("bin/entrypoint").toString(),
            app.resolve("config/quickstart.yaml").toString(),
            "--set",
            "http.port=0",
            "--set",
            "model.mlp.hidden=[64, 64]",
            "--set",
            "source.tcp.bind=0.0.0.0",
            "--set",
            "source.tcp.token.file=" + state.resolve("token"),
            "--set",
            "checkpoint.directory=" + state.resolve("checkpoints")));

    Process first = start(state, command.toArray(String[]::new));
    try {
      Said said = Said.of(first);
      assertThat(said.token).hasSize(64);
      String page = "http://127.0.0.1:" + said.port;
      String[] health = {app.resolve("bin/healthcheck").toString(), said.port};
      while (start(folder, health).waitFor() != 0) {
        assertThat(first.isAlive()).isTrue();
      }
      assertThat(ask(page + "/health", "").statusCode()).isEqualTo(200);
      assertThat(ask(page + "/metrics", "").statusCode()).isEqualTo(401);
      assertThat(ask(page + "/metrics", said.token).statusCode()).isEqualTo(200);
      assertThat(run(folder, "stat", "-c", "%a", state.resolve("token").toString()).strip())
          .isEqualTo("640");
      first
          .toHandle()
          .destroy(); // SIGTERM, which must reach the JVM; destroy() itself would close what it
      // says
      assertThat(said.rest(first)).containsAnyOf(ENDS).doesNotContain(said.token);
      assertThat(first.waitFor()).isEqualTo(143);
      assertThat(start(folder, health).waitFor()).as("nobody is there").isNotZero();

      Process second = start(state, command.toArray(String[]::new));
      try {
        Said again = Said.of(second);
        assertThat(again.token).as("shown once").isEmpty();
        second.toHandle().destroy();
        assertThat(again.rest(second)).containsAnyOf(ENDS).doesNotContain(said.token);
      } finally {
        second.destroyForcibly();
      }
    } finally {
      first.destroyForcibly();
    }
    assertThat(Files.exists(app.resolve("natives"))).isTrue();
    run(folder, "chmod", "-R", "u+w", app.toString());
  }

  /** What the process says until it has begun. */
  private record Said(String token, String port, BufferedReader reader) {
    static Said of(Process process) throws IOException {
      BufferedReader reader = process.inputReader();
      StringBuilder all = new StringBuilder();
      String token = "";
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        all.append(line).append('\n');
        Matcher made = MADE_TOKEN.matcher(line);
        if (made.find()) {
          token = made.group(2);
        }
        Matcher address = ADDRESS.matcher(line);
        if (address.find()) {
          return new Said(token, address.group(1), reader);
        }
      }
      throw new AssertionError("it did not begin:\n" + all);
    }

    String rest(Process process) throws IOException, InterruptedException {
      String rest = reader.readAllAsString();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      return rest;
    }
  }

  private static HttpResponse<String> ask(String uri, String token) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(uri));
    if (!token.isEmpty()) {
      request.header("Authorization", "Bearer " + token);
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
  }

  private static Process start(Path where, String... command) throws IOException {
    return new ProcessBuilder(command).directory(where.toFile()).redirectErrorStream(true).start();
  }

  private static String run(Path where, String... command) throws Exception {
    Process process = start(where, command);
    String said = process.inputReader().readAllAsString();
    int code = process.waitFor();
    // grep that finds nothing answers 1
    assertThat(code)
        .as("%s: %s", String.join(" ", command), said)
        .isIn(0, command[0].equals("grep") ? 1 : 0);
    return said;
  }
}
