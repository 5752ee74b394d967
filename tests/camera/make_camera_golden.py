"""Writes golden/opencv.txt: where OpenCV's camera models show directions, and which direction its
undistortion gives for pixels.

A camera's line: its model (pinhole or fisheye), fx, fy, cx, cy, then its coefficients (8 or 4) in
OpenCV's order. The lines that follow are of that camera: `project`, a direction's x, y, z and its
pixel's col, row; `unproject`, a pixel's col, row and its direction's tangents x, y. Pixels as OpenCV
counts them, from the centre of the first one.

    python3 -m venv VENV && VENV/bin/pip install numpy opencv-python-headless
    VENV/bin/python tests/camera/make_camera_golden.py
"""

from pathlib import Path

import cv2
import numpy as np

# fx, fy, cx, cy, then k1, k2, p1, p2, k3, k4, k5, k6.
PINHOLES = [
    (800.0, 800.0, 639.5, 359.5, 0, 0, 0, 0, 0, 0, 0, 0),
    (3024.1, 3019.8, 2010.3, 1498.2, 0.1267, -0.4612, 0.0004, -0.0011, 0.4903, 0, 0, 0),
    (582.3, 584.9, 958.1, 541.7, -0.2613, 0.0772, 0.0006, -0.0003, -0.0107, 0, 0, 0),
    (609.8, 609.6, 637.2, 365.5, 0.5372, -2.6411, 0.0009, -0.0002, 1.5163, 0.4165, -2.4645, 1.4438),
    (500.0, 450.0, 300.0, 260.0, -0.3, 0.09, 0.012, -0.008, 0, 0, 0, 0),
]
# The largest radius, in tangents, of the directions tried: inside of where each is one to one.
PINHOLE_REACH = [3.0, 0.8, 1.3, 0.9, 0.9]
# fx, fy, cx, cy, then k1, k2, k3, k4.
FISHEYES = [
    (320.0, 320.0, 511.5, 511.5, 0, 0, 0, 0),
    (284.9, 286.1, 425.2, 398.5, -0.0068, 0.0402, -0.0391, 0.0072),
    (1216.2, 1214.4, 1913.6, 1082.1, -0.0291, -0.0085, 0.0031, -0.0016),
]
FISHEYE_REACH = 80.0  # degrees from forward
STEPS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-15)


def matrix(fx: float, fy: float, cx: float, cy: float) -> np.ndarray:
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])


def circles(radii: np.ndarray) -> np.ndarray:
    """[n, 2]: points on circles about (0, 0), turned from one to the next, and the middle."""
    points = [(0.0, 0.0)]
    for i, radius in enumerate(radii):
        for angle in np.arange(5) * (2 * np.pi / 5) + 0.4 * i:
            points.append((radius * np.cos(angle), radius * np.sin(angle)))
    return np.array(points)


def text(*values: float) -> str:
    return " ".join(repr(float(value)) for value in values)


def lines_of(head: str, directions: np.ndarray, pixels: np.ndarray, back: np.ndarray) -> list[str]:
    lines = [head]
    for direction, pixel in zip(directions, pixels.reshape(-1, 2)):
        lines.append("project " + text(*direction, *pixel))
    for pixel, tangents in zip(pixels.reshape(-1, 2), back.reshape(-1, 2)):
        lines.append("unproject " + text(*pixel, *tangents))
    return lines


def main() -> None:
    lines = []
    none = np.zeros(3)
    for camera, reach in zip(PINHOLES, PINHOLE_REACH):
        intrinsics, coefficients = matrix(*camera[:4]), np.array(camera[4:], dtype=float)
        tangents = circles(np.linspace(0.1, 1.0, 6) * reach)
        directions = np.column_stack([tangents, np.ones(len(tangents))]) * 2.5
        pixels, _ = cv2.projectPoints(directions, none, none, intrinsics, coefficients)
        back = cv2.undistortPoints(pixels, intrinsics, coefficients, criteria=STEPS)
        lines += lines_of("pinhole " + text(*camera), directions, pixels, back)
    for camera in FISHEYES:
        intrinsics, coefficients = matrix(*camera[:4]), np.array(camera[4:], dtype=float)
        angles = np.radians(np.linspace(0.1, 1.0, 6) * FISHEYE_REACH)
        tangents = circles(np.tan(angles))
        directions = np.column_stack([tangents, np.ones(len(tangents))]) * 2.5
        pixels, _ = cv2.fisheye.projectPoints(
            directions[:, None, :], none, none, intrinsics, coefficients)
        back = cv2.fisheye.undistortPoints(pixels, intrinsics, coefficients, criteria=STEPS)
        lines += lines_of("fisheye " + text(*camera), directions, pixels, back)
    path = Path(__file__).parent / "golden" / "opencv.txt"
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
