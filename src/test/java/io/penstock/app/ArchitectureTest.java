package io.penstock.app;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleNameEndingWith;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaFieldAccess;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Set;
import org.jspecify.annotations.NullMarked;

/** The directions of imports, and what code must not do because results would not be equal to the bit, or for order's sake. */
@AnalyzeClasses(packages = "io.penstock", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
  private static final Set<String> TRANSCENDENTAL =
      Set.of(
          "ACOS", "ASIN", "ATAN", "ATAN2", "CBRT", "COS", "COSH", "EXP", "EXPM1", "HYPOT", "LOG",
          "LOG10", "LOG1P", "POW", "SIN", "SINH", "TAN", "TANH");

  @ArchTest
  static final ArchRule IMPORTS_GO_ONE_WAY =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .withOptionalLayers(true)
          .layer("config")
          .definedBy("io.penstock.config..")
          .layer("pipeline")
          .definedBy("io.penstock.pipeline..")
          .layer("ingest")
          .definedBy("io.penstock.ingest..")
          .layer("trainer")
          .definedBy("io.penstock.trainer..")
          .layer("app")
          .definedBy("io.penstock.app..")
          .whereLayer("config")
          .mayNotAccessAnyLayer()
          .whereLayer("pipeline")
          .mayOnlyAccessLayers("config")
          .whereLayer("ingest")
          .mayOnlyAccessLayers("config", "pipeline")
          .whereLayer("trainer")
          .mayOnlyAccessLayers("config", "pipeline");

  @ArchTest
  static final ArchRule FLOATS_ARE_SUMMED_IN_A_FIXED_ORDER =
      noClasses()
          .should()
          .callMethodWhere(
              target(name("reduceLanes"))
                  .and(
                      target(
                          owner(
                              assignableTo("jdk.incubator.vector.FloatVector")
                                  .or(assignableTo("jdk.incubator.vector.DoubleVector"))))))
          .because("the order in which lanes are added may change with the JIT (design 4.3)");

  @ArchTest
  static final ArchRule NO_TRANSCENDENTAL_LANES =
      noClasses()
          .should()
          .accessFieldWhere(
              are(
                  new DescribedPredicate<JavaFieldAccess>(
                      "a transcendental VectorOperators constant") {
                    @Override
                    public boolean test(JavaFieldAccess access) {
                      return access
                              .getTargetOwner()
                              .getName()
                              .equals("jdk.incubator.vector.VectorOperators")
                          && TRANSCENDENTAL.contains(access.getName());
                    }
                  }))
          .because("their last bits may change with the JIT (design 4.3)");

  @ArchTest
  static final ArchRule ND4J_COMPUTES_EVERYTHING_ITSELF =
      noClasses()
          .that()
          .resideInAPackage("io.penstock.trainer.nd4j..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.penstock.trainer.cpu..");

  @ArchTest
  static final ArchRule ND4J_STAYS_IN_ITS_PACKAGE =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.penstock.trainer.nd4j..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.nd4j..", "org.bytedeco..")
          .because("it is not there without a profile");

  @ArchTest
  static final ArchRule NO_JAVA_SERIALIZATION =
      noClasses()
          .should()
          .dependOnClassesThat()
          .haveNameMatching("java\\.io\\.Object(Input|Output)Stream");

  @ArchTest
  static final ArchRule THREADS_ARE_MADE_BY_THE_APPLICATION_AND_BY_SOURCES =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.penstock.app..", "io.penstock.ingest..")
          .should()
          .callConstructorWhere(target(owner(assignableTo(Thread.class))))
          .because("threads are few, named, and stated in the table of the architecture page");

  @ArchTest
  static final ArchRule NOBODY_SLEEPS =
      noClasses()
          .should()
          .callMethodWhere(target(name("sleep")).and(target(owner(assignableTo(Thread.class)))));

  @ArchTest
  static final ArchRule TIME_IS_INJECTED =
      noClasses()
          .that(
              resideInAPackage("io.penstock.pipeline..")
                  .or(resideInAPackage("io.penstock.trainer.."))
                  .and(not(simpleNameEndingWith("Benchmark"))))
          .should()
          .callMethod(System.class, "nanoTime")
          .orShould()
          .callMethod(System.class, "currentTimeMillis");

  @ArchTest
  static final ArchRule NULL_IS_SAID =
      classes()
          .should(
              new ArchCondition<JavaClass>("be in a package that is @NullMarked") {
                @Override
                public void check(JavaClass type, ConditionEvents events) {
                  if (!type.getPackage().isAnnotatedWith(NullMarked.class)) {
                    events.add(
                        SimpleConditionEvent.violated(
                            type, type.getPackageName() + " has no @NullMarked package-info"));
                  }
                }
              });

  private ArchitectureTest() {}
}
