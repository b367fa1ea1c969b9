package io.penstock.trainer.cuda;

/** Which plan programs get; the same arithmetic up to rounding, see {@code src/docs/cuda.md}. */
enum Planning {
  /** Fused kernels for small models, the general plan for all else. */
  BY_SHAPE,
  /** The general plan for everything: to compare with. */
  GENERAL;

  /** System property: {@code general} is {@link #GENERAL}. */
  static final String PROPERTY = "penstock.cuda.plan";

  static Planning ofProperty() {
    String set = System.getProperty(PROPERTY, "by-shape");
    return switch (set) {
      case "by-shape" -> BY_SHAPE;
      case "general" -> GENERAL;
      default ->
          throw new IllegalArgumentException(
              "-D%s must be by-shape or general, not %s".formatted(PROPERTY, set));
    };
  }
}
