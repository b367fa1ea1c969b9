package io.penstock.trainer.cuda;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A shared library that may be missing, in whole or in part: its functions can be bound all the same, and {@link #require} says
 * why none may be called.
 */
final class NativeLibrary {
  private final String what;
  private final @Nullable SymbolLookup symbols;
  private final List<String> failures = new ArrayList<>();
  private final List<Prototype> prototypes = new ArrayList<>();

  private NativeLibrary(String what, @Nullable SymbolLookup symbols) {
    this.what = what;
    this.symbols = symbols;
  }

  /**
   * Opens the first library there is.
   *
   * @param what for messages: {@code NVRTC}
   * @param property system property that names the file instead
   * @param names of files, in the order of preference
   * @param folders to look in after the places that the system's loader knows
   */
  static NativeLibrary find(String what, String property, List<String> names, List<Path> folders) {
    List<String> files = new ArrayList<>();
    String set = System.getProperty(property);
    if (set != null) {
      files.add(set);
    } else {
      files.addAll(names);
      for (Path folder : folders) {
        for (String name : names) {
          files.add(folder.resolve(name).toString());
        }
      }
    }
    for (String file : files) {
      SymbolLookup symbols = open(file);
      if (symbols != null) {
        return new NativeLibrary(what, symbols);
      }
    }
    NativeLibrary missing = new NativeLibrary(what, null);
    missing.failures.add(
        "no library could be loaded; looked for %s (-D%s=FILE names another)"
            .formatted(String.join(", ", files), property));
    return missing;
  }

  /** Where CUDA is installed as a rule. */
  static List<Path> cudaFolders() {
    List<Path> folders = new ArrayList<>();
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      String home = System.getenv(variable);
      if (home != null && !home.isBlank()) {
        folders.add(Path.of(home, "lib64"));
      }
    }
    for (String home : List.of("/usr/local/cuda", "/usr/local/cuda-13", "/usr/local/cuda-12")) {
      folders.add(Path.of(home, "lib64"));
    }
    return folders;
  }

  private static @Nullable SymbolLookup open(String file) {
    try {
      if (!file.contains("/")) {
        return SymbolLookup.libraryLookup(file, Arena.global());
      }
      Path path = Path.of(file).toAbsolutePath();
      openBuiltins(path);
      return SymbolLookup.libraryLookup(path, Arena.global());
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** NVRTC opens {@code libnvrtc-builtins} by name, and would not find it beside itself where the loader does not look. */
  private static void openBuiltins(Path file) {
    String prefix = file.getFileName().toString().replaceFirst("\\.so.*", "-builtins.so");
    try (DirectoryStream<Path> builtins =
        Files.newDirectoryStream(Objects.requireNonNull(file.getParent()), prefix + "*")) {
      for (Path builtin : builtins) {
        SymbolLookup.libraryLookup(builtin, Arena.global());
      }
    } catch (IOException e) {
      // No such folder: then there is no such library, either.
    }
  }

  /** Binds a function; where it is missing, the handle fails when called, and {@link #require} before. */
  MethodHandle function(String declaration) {
    Prototype prototype = new Prototype(declaration);
    prototypes.add(prototype);
    var address = symbols == null ? null : symbols.find(prototype.name()).orElse(null);
    if (address != null) {
      return Linker.nativeLinker().downcallHandle(address, prototype.descriptor());
    }
    if (symbols != null) {
      failures.add("it has no " + prototype.name() + ": it is too old (CUDA 12 is needed)");
    }
    MethodType type = prototype.descriptor().toMethodType();
    return MethodHandles.dropArguments(
        MethodHandles.throwException(type.returnType(), IllegalStateException.class)
            .bindTo(new IllegalStateException(what + ": there is no " + prototype.name())),
        0,
        type.parameterList());
  }

  /** Whether it has a symbol, of those that nobody binds. */
  boolean has(String symbol) {
    return symbols != null && symbols.find(symbol).isPresent();
  }

  /** All that has been bound. */
  List<Prototype> prototypes() {
    return List.copyOf(prototypes);
  }

  /** Why it cannot be used; null where it can. */
  @Nullable String failure() {
    return failures.isEmpty() ? null : what + ": " + String.join("; ", failures);
  }

  void require() {
    String failure = failure();
    if (failure != null) {
      throw new IllegalStateException("cuda: " + failure);
    }
  }

  /** For what a downcall throws, which none of these functions can. */
  static AssertionError unexpected(Throwable t) {
    return new AssertionError("a native function could not be called", t);
  }
}
