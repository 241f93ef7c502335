package dev.coppice.cli.aot;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/**
 * Gives class files from before Java 6 a present version and the stack maps that come with it. The JVM's cache takes no class that
 * only the old verifier understands (JDK 25, {@code InstanceKlass::can_be_verified_at_dumptime}), and picocli is compiled for Java 5.
 */
public final class OldClassFiles {
    /** Of Java 6, the first one with stack maps. */
    private static final int JAVA_6 = 50;

    private static final String SUFFIX = ".class";

    /** {@code META-INF/versions} and {@code module-info} are newer by their nature. */
    private static final String VERSIONS = "META-INF/";

    private OldClassFiles() {}

    /** Rewrites those jars in the directory {@code arguments[0]} that have old class files, each in one step. */
    public static void main(String[] arguments) throws IOException {
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(Path.of(arguments[0]), "*.jar")) {
            for (Path jar : jars) {
                if (renew(jar)) {
                    System.out.println("new class files: " + jar);
                }
            }
        }
    }

    /** Answers whether there was something to do. */
    static boolean renew(Path jar) throws IOException {
        Path renewed = jar.resolveSibling(jar.getFileName() + ".new");
        try (JarFile in = new JarFile(jar.toFile());
                URLClassLoader classes =
                        new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
            if (in.stream().noneMatch(entry -> isOld(in, entry))) {
                return false;
            }
            ClassFile format = ClassFile.of(
                    ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
                    ClassFile.ConstantPoolSharingOption.NEW_POOL,
                    ClassFile.ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(classes)));
            try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(renewed))) {
                for (JarEntry entry : Collections.list(in.entries())) {
                    byte[] bytes = read(in, entry);
                    out.putNextEntry(new JarEntry(entry.getName()));
                    out.write(isOld(in, entry) ? renewed(format, bytes) : bytes);
                    out.closeEntry();
                }
            }
        }
        Files.move(renewed, jar, StandardCopyOption.ATOMIC_MOVE);
        return true;
    }

    private static boolean isOld(JarFile jar, JarEntry entry) {
        if (!entry.getName().endsWith(SUFFIX) || entry.getName().startsWith(VERSIONS)) {
            return false;
        }
        return version(read(jar, entry)) < JAVA_6;
    }

    /** The major version: two bytes behind magic number and minor version. */
    private static int version(byte[] bytes) {
        return ((bytes[6] & 0xff) << 8) | (bytes[7] & 0xff);
    }

    private static byte[] read(JarFile jar, JarEntry entry) {
        try (var in = jar.getInputStream(entry)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] renewed(ClassFile format, byte[] old) {
        // Taking every method apart makes the builder put it together, and find its stack maps.
        ClassTransform version = (builder, element) -> {
            if (element instanceof ClassFileVersion) {
                builder.withVersion(ClassFile.latestMajorVersion(), 0);
            } else {
                builder.with(element);
            }
        };
        return format.transformClass(
                format.parse(old),
                ClassTransform.transformingMethodBodies(CodeBuilder::with).andThen(version));
    }
}
