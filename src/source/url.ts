export { displayPath, filePath, isFile, isNodeInternal, isOwnCode, isUserCode, packageOf } from '../base/script-url.js';
