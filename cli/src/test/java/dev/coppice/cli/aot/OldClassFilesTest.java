package dev.coppice.cli.aot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class OldClassFilesTest {
    @TempDir
    private Path directory;

    @Test
    void the_classes_of_picocli_become_new_ones_that_the_present_verifier_accepts() throws Exception {
        Path jar = copy();
        List<String> names = classes(jar);
        assertThat(OldClassFiles.renew(jar)).isTrue();
        assertThat(classes(jar)).isEqualTo(names).contains("picocli.CommandLine");
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
            for (String name : names) {
                // Initialising a class verifies it.
                assertThat(Class.forName(name, true, loader).getClassLoader()).isSameAs(loader);
            }
            Object line = loader.loadClass("picocli.CommandLine")
                    .getConstructor(Object.class)
                    .newInstance(loader.loadClass("picocli.CommandLine$HelpCommand"));
            assertThat(String.valueOf(
                            line.getClass().getMethod("getUsageMessage").invoke(line)))
                    .contains("Usage: help");
        }
        assertThat(OldClassFiles.renew(jar)).as("nothing is left to do").isFalse();
    }

    @Test
    void a_directory_of_jars_is_gone_through_and_no_other_file_is_left() throws IOException {
        Path jar = copy();
        OldClassFiles.main(new String[] {directory.toString()});
        try (var files = Files.list(directory)) {
            assertThat(files).containsExactly(jar);
        }
        try (JarFile renewed = new JarFile(jar.toFile())) {
            byte[] bytes = renewed.getInputStream(renewed.getJarEntry("picocli/CommandLine.class"))
                    .readAllBytes();
            assertThat(ClassFile.of().parse(bytes).majorVersion()).isEqualTo(ClassFile.latestMajorVersion());
        }
    }

    private Path copy() throws IOException {
        Path original = Path.of(CommandLine.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .getPath());
        return Files.copy(original, directory.resolve("picocli.jar"));
    }

    private static List<String> classes(Path jar) throws IOException {
        List<String> names = new ArrayList<>();
        try (JarFile file = new JarFile(jar.toFile())) {
            file.stream()
                    .map(JarEntry::getName)
                    .filter(name -> name.startsWith("picocli/") && name.endsWith(".class"))
                    .map(name ->
                            name.substring(0, name.length() - ".class".length()).replace('/', '.'))
                    .forEach(names::add);
        }
        return names;
    }
}
