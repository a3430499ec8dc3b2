import java.nio.file.Files;
import java.nio.file.Path;
import org.locationtech.jts.geom.Geometry;
import org.locationtech.jts.geom.Polygon;
import org.locationtech.jts.geom.PrecisionModel;
import org.locationtech.jts.io.WKBReader;
import org.locationtech.jts.operation.valid.IsValidOp;
import org.locationtech.jts.precision.GeometryPrecisionReducer;

/** usage: CheckWkb FILE SCALE. One polygon per line as hexadecimal WKB: each must be valid for JTS as it is, and stay a
 * polygon of some area on a grid of 1 / SCALE. Exits with 1 at the first that is not. */
public final class CheckWkb {
    public static void main(String[] args) throws Exception {
        WKBReader reader = new WKBReader();
        PrecisionModel grid = new PrecisionModel(Double.parseDouble(args[1]));
        int count = 0;
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            Geometry polygon = reader.read(WKBReader.hexToBytes(line));
            IsValidOp valid = new IsValidOp(polygon);
            require(valid.isValid(), count, String.valueOf(valid.getValidationError()));
            Geometry reduced = GeometryPrecisionReducer.reduce(polygon, grid);
            require(reduced instanceof Polygon && reduced.getArea() > 0, count, "falls apart at 0.01 px: " + reduced);
            count++;
        }
        System.out.println(args[0] + ": " + count + " polygons valid for JTS");
    }

    private static void require(boolean condition, int index, String message) {
        if (!condition) {
            System.out.println("polygon " + index + ": " + message);
            System.exit(1);
        }
    }
}
