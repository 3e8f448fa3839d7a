export { displayPath, filePath, isFile, isUserCode, packageOf } from '../base/script-url.js';
