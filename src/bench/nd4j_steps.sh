#!/usr/bin/env bash
# The training step on device nd4j beside the same step written with ND4J's Java interface, one thread each, by turns:
# nd4j_steps.sh [ROUNDS]. ND4J's own dependencies are fetched for the latter; JavaCPP and OpenBLAS are the same in both.
set -euo pipefail
home=$(cd "$(dirname "$0")/../.." && pwd)
JAVA_HOME=$("$home/src/main/scripts/find-jdk")
export JAVA_HOME
version() { sed -n "s:.*<$1>\(.*\)</$1>.*:\1:p" "$home/pom.xml"; }
plain=$home/src/target/nd4j-plain
if [ ! -f "$plain/fetched" ]; then
  mkdir -p "$plain"
  cat >"$plain/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>plain</artifactId><version>1</version>
  <dependencyManagement><dependencies>
    <dependency><groupId>org.bytedeco</groupId><artifactId>javacpp</artifactId><version>$(version javacpp.version)</version></dependency>
    <dependency><groupId>org.bytedeco</groupId><artifactId>javacpp</artifactId><version>$(version javacpp.version)</version><classifier>linux-x86_64</classifier></dependency>
    <dependency><groupId>org.bytedeco</groupId><artifactId>openblas</artifactId><version>$(version openblas.version)</version></dependency>
    <dependency><groupId>org.bytedeco</groupId><artifactId>openblas</artifactId><version>$(version openblas.version)</version><classifier>linux-x86_64</classifier></dependency>
  </dependencies></dependencyManagement>
  <dependencies>
    <dependency><groupId>org.nd4j</groupId><artifactId>nd4j-native</artifactId><version>$(version nd4j.version)</version></dependency>
    <dependency><groupId>org.nd4j</groupId><artifactId>nd4j-native</artifactId><version>$(version nd4j.version)</version><classifier>linux-x86_64</classifier></dependency>
  </dependencies>
</project>
POM
  "${MAVEN_HOME:+$MAVEN_HOME/bin/}mvn" -q -B -f "$plain/pom.xml" dependency:copy-dependencies -DoutputDirectory="$plain/lib" >&2
  touch "$plain/fetched"
fi
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
read -r -a flags <<<"$(version penstock.jvm)"
for _ in $(seq "${1:-3}"); do
  "$home/penstock" --with nd4j bench steps --device nd4j
  "$JAVA_HOME/bin/java" "${flags[@]}" -cp "$plain/lib/*" "$home/src/bench/Nd4jPlainSteps.java" 2> >(grep -v "SLF4J\|INFO" >&2)
done
