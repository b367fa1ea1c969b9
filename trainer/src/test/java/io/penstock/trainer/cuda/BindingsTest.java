package io.penstock.trainer.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Holds what the bindings declare against NVIDIA's headers, by a C compiler, where both are there: {@code
 * -Dpenstock.cuda.include=} names folders of headers, separated by colons.
 */
class BindingsTest {
  private static final String FOLDERS =
      System.getProperty("penstock.cuda.include", "/usr/local/cuda/include");

  @TempDir private Path folder;

  @BeforeAll
  static void findTheEmulator() {
    EmulatedCuda.prepare();
  }

  @Test
  void shouldDeclareTheDriverAsItsHeaderDoes() throws Exception {
    check("cuda.h", Cuda.class, Cuda.LIBRARY, List.of());
  }

  @Test
  void shouldDeclareNvrtcAsItsHeaderDoes() throws Exception {
    check("nvrtc.h", Nvrtc.class, Nvrtc.LIBRARY, List.of());
  }

  @Test
  void shouldDeclareCublasLtAsItsHeaderDoes() throws Exception {
    check(
        "cublasLt.h",
        CublasLt.class,
        CublasLt.LIBRARY,
        List.of(
            "sizeof(cublasLtMatmulHeuristicResult_t) == " + CublasLt.HEURISTIC_RESULT_BYTES,
            "offsetof(cublasLtMatmulHeuristicResult_t, algo) == 0"));
  }

  @Test
  void shouldTellTheLinkerWhatTheDeclarationSays() {
    Prototype prototype =
        new Prototype("const char* f(unsigned int, void**, size_t, CUstream, float)");
    assertThat(prototype.name()).isEqualTo("f");
    assertThat(prototype.result()).isEqualTo("const char*");
    assertThat(prototype.descriptor().toMethodType().toString())
        .isEqualTo("(int,long,long,long,float)long");
  }

  private void check(String header, Class<?> binding, NativeLibrary library, List<String> more)
      throws IOException, InterruptedException, IllegalAccessException {
    List<String> command = new ArrayList<>(List.of("cc", "-fsyntax-only", "-std=c11"));
    boolean found = false;
    for (String include : FOLDERS.split(":", -1)) {
      command.add("-I" + include);
      found |= Files.exists(Path.of(include, header));
    }
    assumeTrue(found, "there is no " + header + " in " + FOLDERS);
    Path source =
        Files.writeString(folder.resolve("check.c"), source(header, binding, library, more));
    command.add(source.toString());
    Process compiler;
    try {
      compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      assumeTrue(false, "there is no C compiler: " + e.getMessage());
      return;
    }
    String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(compiler.waitFor()).as(said).isZero();
  }

  /** Assertions of each function's type and each constant's value. */
  private static String source(
      String header, Class<?> binding, NativeLibrary library, List<String> more)
      throws IllegalAccessException {
    List<String> facts = new ArrayList<>(more);
    for (Prototype prototype : library.prototypes()) {
      String parameters = prototype.parameters().isEmpty() ? "void" : prototype.parameters();
      facts.add(
          "__builtin_types_compatible_p(__typeof__(%s), %s (%s))"
              .formatted(prototype.name(), prototype.result(), parameters));
    }
    for (Field field : binding.getDeclaredFields()) {
      if (field.getType() == int.class && field.getName().matches("(CU|NVRTC).*")) {
        facts.add("(int) %s == %d".formatted(field.getName(), field.getInt(null)));
      }
    }
    StringBuilder text = new StringBuilder("#include <stddef.h>\n#include <" + header + ">\n");
    for (String fact : facts) {
      text.append("_Static_assert(%s, \"%s\");\n".formatted(fact, fact));
    }
    return text.toString();
  }
}
