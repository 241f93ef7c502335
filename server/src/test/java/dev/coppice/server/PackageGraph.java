package dev.coppice.server;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Which package depends on which, and by which classes. */
final class PackageGraph {
    /** Of each package those that it depends on, with an example of each dependency. */
    private final Map<String, Map<String, String>> dependencies = new TreeMap<>();

    private PackageGraph() {}

    /** The graph of {@code classes}, without what they depend on outside of themselves. */
    static PackageGraph of(Iterable<JavaClass> classes, Function<JavaClass, String> packageOf) {
        PackageGraph graph = new PackageGraph();
        for (JavaClass type : classes) {
            graph.dependencies.putIfAbsent(packageOf.apply(type), new TreeMap<>());
        }
        for (JavaClass type : classes) {
            String from = packageOf.apply(type);
            for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
                String to = packageOf.apply(dependency.getTargetClass());
                if (!to.equals(from) && graph.dependencies.containsKey(to)) {
                    graph.needsOf(from)
                            .putIfAbsent(
                                    to,
                                    type.getSimpleName() + " needs "
                                            + dependency.getTargetClass().getSimpleName());
                }
            }
        }
        return graph;
    }

    /** Packages that depend on themselves by way of others. */
    Set<String> inCycles() {
        return dependencies.keySet().stream()
                .filter(name -> reachableFrom(name).contains(name))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** A line for each dependency that is part of a cycle. */
    String describeCycles() {
        StringBuilder lines = new StringBuilder();
        for (String from : inCycles()) {
            needsOf(from).forEach((to, example) -> {
                if (reachableFrom(to).contains(from)) {
                    lines.append("  %s -> %s: %s%n".formatted(from, to, example));
                }
            });
        }
        return lines.toString();
    }

    /** By the name of each package that a package needs, an example. */
    private Map<String, String> needsOf(String name) {
        return dependencies.computeIfAbsent(name, _ -> new TreeMap<>());
    }

    private Set<String> reachableFrom(String start) {
        Set<String> reached = new TreeSet<>();
        Deque<String> open = new ArrayDeque<>(needsOf(start).keySet());
        while (!open.isEmpty()) {
            String next = open.pop();
            if (reached.add(next)) {
                open.addAll(needsOf(next).keySet());
            }
        }
        return reached;
    }
}
