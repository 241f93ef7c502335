package dev.coppice.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.coppice.storage.io.UntrustedDirectory;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Dependencies point down only, between modules (the table in ARCHITECTURE.md) and between packages; and packages are small. */
@AnalyzeClasses(packages = "dev.coppice", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule dependencies_point_down = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("common")
            .definedBy("dev.coppice.common..")
            .layer("storage")
            .definedBy("dev.coppice.storage..")
            .optionalLayer("masking")
            .definedBy("dev.coppice.masking..")
            .layer("compute")
            .definedBy("dev.coppice.compute..")
            .layer("control")
            .definedBy("dev.coppice.control..")
            .layer("proxy")
            .definedBy("dev.coppice.proxy..")
            .layer("cli")
            .definedBy("dev.coppice.cli..")
            .layer("server")
            .definedBy("dev.coppice.server..")
            .whereLayer("server")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("cli")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("proxy")
            .mayOnlyBeAccessedByLayers("server")
            .whereLayer("control")
            .mayOnlyBeAccessedByLayers("server")
            .whereLayer("compute")
            .mayOnlyBeAccessedByLayers("control", "server")
            .whereLayer("storage")
            .mayOnlyBeAccessedByLayers("compute", "control", "server")
            .whereLayer("masking")
            .mayOnlyBeAccessedByLayers("compute", "control", "server")
            .whereLayer("masking")
            .mayNotAccessAnyLayer();

    @ArchTest
    static final ArchRule modules_have_no_cycles =
            slices().matching("dev.coppice.(*)..").should().beFreeOfCycles();

    /** More cannot be taken in at a glance: a package with more is several. */
    private static final int MOST_CLASSES = 25;

    /** Packages with more than {@value #MOST_CLASSES} classes that have not been divided yet. Nothing is added here. */
    private static final Set<String> NOT_YET_DIVIDED = Set.of("compute");

    /** Packages that depend on each other in a circle, which has not been cut yet. Nothing is added here. */
    private static final Set<String> NOT_YET_WITHOUT_CYCLES = Set.of("compute", "compute.agent", "compute.sandbox");

    @ArchTest
    static void packages_are_small(JavaClasses classes) {
        Map<String, Long> large = new TreeMap<>(
                topLevel(classes).collect(Collectors.groupingBy(ArchitectureTest::packageOf, Collectors.counting())));
        large.values().removeIf(count -> count <= MOST_CLASSES);
        assertThat(large.keySet())
                .as(
                        "packages with more than %d classes, which are %s; those that were divided leave NOT_YET_DIVIDED",
                        MOST_CLASSES, large)
                .containsExactlyInAnyOrderElementsOf(NOT_YET_DIVIDED);
    }

    @ArchTest
    static void packages_have_no_cycles(JavaClasses classes) {
        PackageGraph graph = PackageGraph.of(classes, ArchitectureTest::packageOf);
        assertThat(graph.inCycles())
                .as(
                        "packages in cycles; those outside of one leave NOT_YET_WITHOUT_CYCLES. Dependencies that make them:%n%s",
                        graph.describeCycles())
                .containsExactlyInAnyOrderElementsOf(NOT_YET_WITHOUT_CYCLES);
    }

    private static Stream<JavaClass> topLevel(JavaClasses classes) {
        return classes.stream()
                .filter(type -> type.isTopLevelClass() && !type.getSimpleName().equals("package-info"));
    }

    private static String packageOf(JavaClass type) {
        return type.getPackageName().replaceFirst("^dev\\.coppice\\.", "");
    }

    /** Calls go from the API to the workflows to the catalog. */
    @ArchTest
    static final ArchRule the_api_sees_no_rows_of_the_catalog = noClasses()
            .that()
            .resideInAPackage("dev.coppice.control.api..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.coppice.control.catalog.rows..", "java.sql..");

    /** Nothing is given the whole of what the composition root builds. */
    @ArchTest
    static final ArchRule only_the_root_of_control_knows_all_of_it = noClasses()
            .that()
            .resideInAPackage("dev.coppice.control.*..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.coppice.control");

    @ArchTest
    static final ArchRule the_proxy_moves_bytes_without_jdbc = classes()
            .that()
            .resideInAnyPackage("dev.coppice.proxy..", "dev.coppice.storage..")
            .should()
            .onlyDependOnClassesThat()
            .resideOutsideOfPackage("java.sql..");

    /** Nobody but these classes connects to a database: to computes one, which no user's settings reach; and the catalog's own. */
    @ArchTest
    static final ArchRule one_class_connects_to_computes = noClasses()
            .that()
            .resideInAPackage("dev.coppice.control..")
            .and()
            .haveNameNotMatching("dev\\.coppice\\.control\\.(sql\\.AdminConnection|catalog\\.Catalog(Server)?)(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.sql.DriverManager")
            .orShould()
            .dependOnClassesThat()
            .resideInAnyPackage("org.postgresql..", "com.impossibl..");

    @ArchTest
    static final ArchRule the_server_speaks_no_sql = noClasses()
            .that()
            .resideInAnyPackage("dev.coppice.server..", "dev.coppice.compute..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.sql..");

    /**
     * Whoever works with files by path, and where. None of these places is a compute's to change: what lies in {@code wal/}, {@code wal-finished/}, {@code local/},
     * {@code catalog/} and in the directories of sockets is opened by {@link UntrustedDirectory} and {@code DirectoryTree} alone. A class is added here when it is
     * clear that nobody but the server can write where it works.
     */
    private static final Set<String> FILES_BY_PATH = Set.of(
            // Other directories of timelines/: metadata, journal, layers, archive, and what is imported.
            "BoundaryDocuments",
            "CompressedSegment",
            "DataDirectoryIdentity",
            "DirectoryImport",
            "Epochs",
            "Handover",
            "JournalCheck",
            "JournalSegment",
            "LayerFileWriter",
            "LocalLayerStore",
            "LocalWalStore",
            "PageService",
            "Timeline",
            "TimelineMetadata",
            "WalArchive",
            "WriterLock",
            // What the others stand on.
            "DirectoryListing",
            "DurableFiles",
            "FileWrites",
            "UntrustedDirectory",
            // Markers and records in timelines/<id>/, and the server's own directories.
            "AgentServer",
            "CatalogCluster",
            "CatalogServer",
            "ComputeLifecycle",
            "ComputeRecord",
            "ComputeService",
            "ComputeStart",
            "ComputeUser",
            "ComputeUsers",
            "Detachment",
            "InterposerLibrary",
            "DeletedFiles",
            "LocalCaches",
            "LocalDirectory",
            "LocalProcessDriver",
            "NativeFile",
            "PostgresBinaries",
            "Programs",
            "RunDirectory",
            "ServerLog",
            "SharedPages",
            "TemplateCluster",
            "UnpackedLibrary",
            "UserProcesses",
            // Outside of the data directory: the kernel's files, and names that are only ever unlinked, never opened.
            "ControlGroups",
            "MemoryDirectory",
            "Root");

    @ArchTest
    static final ArchRule computes_directories_are_opened_in_one_place = noClasses()
            .that()
            .resideInAnyPackage("dev.coppice.storage..", "dev.coppice.compute..", "dev.coppice.control.catalog..")
            .and(DescribedPredicate.describe(
                    "are not known to stay outside of computes' directories",
                    type -> !FILES_BY_PATH.contains(outermost(type))))
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(Files.class, RandomAccessFile.class, FileInputStream.class, FileOutputStream.class)
            .orShould()
            .callMethod(FileChannel.class, "open", Path.class, OpenOption[].class);

    private static String outermost(JavaClass type) {
        JavaClass at = type;
        while (at.getEnclosingClass().isPresent()) {
            at = at.getEnclosingClass().get();
        }
        return at.getSimpleName();
    }
}
